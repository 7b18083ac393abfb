import GateCore

/// Which old backups are deleted.
package struct BackupRotation: Hashable, Sendable {
    /// So many of a series are kept; zero: all.
    package var keep: Int
    /// Those of a series that are older are deleted; zero: none.
    package var keepFor: Duration

    package init(keep: Int, keepFor: Duration) {
        self.keep = keep
        self.keepFor = keepFor
    }

    /// Of the files of a folder those that go. The newest of each series stays, and every file that is not ours.
    ///
    /// Age is counted from the backup before the newest, not from now: a clock that has jumped ahead by years makes one backup with a
    /// wrong date, and that one must not cost all the others.
    package func expired(_ names: [String]) -> [BackupName] {
        let backups = names.compactMap(BackupName.init)
        return BackupName.Series.allCases.flatMap { series in
            let newestFirst = backups.filter { $0.series == series }.sorted { $0.time > $1.time }
            return newestFirst.enumerated().dropFirst().filter { place, backup in
                let isTooMany = keep > 0 && place >= keep
                let isTooOld = keepFor > .zero && newestFirst[1].time - backup.time > keepFor
                return isTooMany || isTooOld
            }.map(\.element)
        }
    }
}
