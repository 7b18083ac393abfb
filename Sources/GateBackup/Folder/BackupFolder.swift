package import GateCore
import Glibc

/// A folder with backups in it, and perhaps other things, which are left alone.
package struct BackupFolder: Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    package struct Entry: Hashable, Sendable {
        package var name: BackupName
        package var path: String
        /// In bytes.
        package var size: Int
    }

    /// The newest first.
    package var entries: [Entry] {
        FolderContents.names(in: path).compactMap { text in
            let file = Folders.path(of: text, in: path)
            var status = stat()
            guard let name = BackupName(text), lstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
            return Entry(name: name, path: file, size: Int(status.st_size))
        }.sorted { $0.name.time > $1.name.time }
    }

    /// A name that nothing there has: of this moment, or of a second soon after.
    package func freeName(_ series: BackupName.Series, at now: Timestamp, isEncrypted: Bool) -> BackupName {
        var name = BackupName(series, at: now, isEncrypted: isEncrypted)
        while Folders.exists(Folders.path(of: name.description, in: path)) { name.time = name.time + .seconds(1) }
        return name
    }

    /// Deletes what is too old or too much.
    ///
    /// - Returns: the names of what was deleted.
    package func rotate(_ rule: BackupRotation) -> [String] {
        rule.expired(entries.map(\.name.description)).map(\.description).filter { unlink(Folders.path(of: $0, in: path)) == 0 }
    }
}
