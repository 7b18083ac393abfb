package import GateBackup
package import GateCore
import GateSQLite
import Glibc

/// Putting a backup in the place of a server's data. It waits for disks, so it belongs on a thread that may.
package struct Restore {
    /// What is said of a backup that was read.
    package struct Report: Sendable {
        var manifest: BackupManifest
        var contents: BackupInspection
        /// Where what was there before is now.
        var replaced: String?
        var hasEndedSessions = false
    }

    /// The backup, at its beginning. It is read once.
    let source: FileSource
    let keys: AgeKeys
    let time: any TimeSource
    let entropy: any Entropy

    package init(_ source: FileSource, keys: AgeKeys, time: any TimeSource, entropy: any Entropy) {
        self.source = source
        self.keys = keys
        self.time = time
        self.entropy = entropy
    }

    /// Reads all of it, opens the database that is in it, and leaves everything as it is: what has to be written lies in the system's folder
    /// for temporary files meanwhile.
    package func verify() throws(BackupError) -> Report {
        var template = Array("\(ProcessEnvironment.current["TMPDIR"] ?? "/var/tmp")/gatehouse-verify-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!).map { String(cString: $0) } }
        guard let folder = made else { throw BackupError(.failed, "no temporary folder can be made: \(String(cString: strerror(errno)))") }
        defer { FolderContents.removeAll(folder) }
        let database = folder + "/" + BackupManifest.database
        let manifest = try BackupArchive.read(source, keys: keys) { manifest throws(BackupError) in
            try FreeSpace.require([(folder, manifest.members.first { $0.path == BackupManifest.database }?.size ?? 0)])
        } target: { member throws(BackupError) in
            member.path == BackupManifest.database ? try StagedFile(database) : nil
        }
        return Report(manifest: manifest, contents: try Self.inspect(database, manifest))
    }

    static func inspect(_ database: String, _ manifest: BackupManifest) throws(BackupError) -> BackupInspection {
        let contents = try BackupInspection(database)
        guard contents.schemaVersion == manifest.schemaVersion else {
            throw BackupError(.damaged, "the backup's manifest speaks of another schema than its database has")
        }
        return contents
    }
}

extension Restore.Report {
    package var json: JSON {
        [
            "created_at": .string(manifest.createdAt.rfc3339), "reason": .string(manifest.reason.rawValue),
            "version": .string(manifest.version), "schema_version": .integer(Int64(manifest.schemaVersion)),
            "users": .integer(Int64(contents.users)), "organisations": .integer(Int64(contents.organisations)),
            "sessions": .integer(Int64(contents.sessions)), "secrets": .bool(manifest.hasSecrets),
            "members": .array(
                manifest.members.map { ["path": .string($0.path), "size": .integer(Int64($0.size)), "sha256": .string($0.hash)] }),
            "sessions_ended": .bool(hasEndedSessions), "replaced": replaced.map { .string($0) } ?? .null,
        ]
    }
}
