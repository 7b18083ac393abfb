package import GateCore

/// What kind of backup is asked for. What is not said is as the configuration has it.
package struct BackupOrder: Sendable {
    /// Made by the timer: what becomes of it is what health tells of.
    package var isScheduled = false
    /// Left in a folder of the server's own, for whoever asked to fetch it and have it deleted.
    package var isStaged = false
    package var includesSecrets: Bool?
    /// Public keys of age.
    package var recipients: [String] = []
    package var passphrase: Secret?

    package init() {}
}

/// The backups of this server, as far as the operator has to do with them.
package protocol BackupOperations: Sendable {
    /// Makes one, and returns when it is on the disk and checked.
    ///
    /// - Returns: what was made; or `error` with `message` and `exit_code`, where nothing was.
    func make(_ order: BackupOrder) async -> JSON

    /// `backups`, the newest first, and what is remembered of the last ones.
    func list() async -> JSON

    /// Deletes a staged one; one that is not there is no error.
    func discard(staged name: String) async
}
