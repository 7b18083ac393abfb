package import GateBackup
import GateCore

/// Bringing a staged backup to where its asker wants it.
package enum BackupDelivery {
    /// Where the file will be: in `path` under the backup's own name, if that is a folder.
    package static func destination(_ path: String, name: String) -> String {
        Folders.isFolder(path) ? Folders.path(of: name, in: path) : path
    }

    /// Refuses what could not be done in the end, before anything is made.
    package static func check(_ path: String) throws(BackupError) {
        if Folders.isFolder(path) { return }
        guard !Folders.exists(path) else { throw BackupError(.taken, "\(path) exists: choose another name") }
        guard Folders.isFolder(Folders.parent(of: path)) else {
            throw BackupError(.taken, "there is no folder \(Folders.parent(of: path))")
        }
    }

    /// Copies the file, compares the copy with it, and gives it its name (`0600`).
    package static func deliver(_ staged: String, to path: String) throws(BackupError) {
        PartialFile.sweep(Folders.parent(of: path))
        let file = try PartialFile(in: Folders.parent(of: path), entropy: SystemEntropy())
        try FileSource(staged).drain(to: file)
        try file.finish()
        guard try FileSource(staged).hash() == FileSource(file.path).hash() else {
            throw BackupError(.damaged, "what was written is not what is read back: see to the disk of \(path)")
        }
        try file.place(at: path, replacing: false)
    }
}
