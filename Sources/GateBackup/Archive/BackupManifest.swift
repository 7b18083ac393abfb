package import GateCore

/// What a backup says of itself: `manifest.json`, its first member.
package struct BackupManifest: Hashable, Sendable {
    /// Why a backup was made.
    package enum Reason: String, CaseIterable, Sendable {
        case manual
        case scheduled
        case beforeMigration = "before-migration"
    }

    package struct Member: Hashable, Sendable {
        package var path: String
        /// In bytes.
        package var size: Int
        /// SHA-256, in hexadecimal.
        package var hash: String
    }

    /// Of this description, and of what stands where. Another one is read by a newer program only.
    static let format: Int64 = 1
    static let path = "manifest.json"
    /// In bytes.
    static let maximumSize = 1 << 20
    static let maximumMembers = 10_000

    /// The database.
    package static let database = "gatehouse.db"
    /// What is there on request only.
    package static let secrets = "secrets/"
    package static let certificates = "certificates/"

    /// Of the program that made it.
    package var version: String
    package var createdAt: Timestamp
    package var reason: Reason
    /// The newest migration in the database.
    package var schemaVersion: Int
    package var members: [Member]

    package init(version: String, createdAt: Timestamp, reason: Reason, schemaVersion: Int, members: [Member]) {
        self.version = version
        self.createdAt = createdAt
        self.reason = reason
        self.schemaVersion = schemaVersion
        self.members = members
    }

    /// In bytes, of all members together.
    package var totalSize: Int { members.reduce(0) { $0 + $1.size } }

    package var hasSecrets: Bool { members.contains { $0.path.hasPrefix(Self.secrets) } }
}

extension BackupManifest {
    package var json: JSON {
        [
            "format": .integer(Self.format), "program": "gatehouse", "version": .string(version), "created_at": .string(createdAt.rfc3339),
            "reason": .string(reason.rawValue), "schema_version": .integer(Int64(schemaVersion)),
            "members": .array(
                members.map { ["path": .string($0.path), "size": .integer(Int64($0.size)), "sha256": .string($0.hash)] }),
        ]
    }

    /// - Throws: `.foreign`, `.newer`, or `.damaged`.
    init(parsing bytes: [UInt8]) throws(BackupError) {
        guard let json = try? JSON(parsing: bytes), json["program"]?.string == "gatehouse", let format = json["format"]?.integer else {
            throw BackupError(.foreign, "the archive is no backup of gatehouse: it has no manifest.json of ours")
        }
        guard format == Self.format else {
            throw BackupError(.newer, "a newer gatehouse made this backup (format \(format)): restore it with that version")
        }
        guard let version = json["version"]?.string, let createdAt = json["created_at"]?.string.flatMap(Timestamp.init(rfc3339:)),
            let reason = json["reason"]?.string.flatMap(Reason.init), let schema = json["schema_version"]?.integer,
            (1...1_000_000) ~= schema,
            let list = json["members"]?.array, list.count <= Self.maximumMembers
        else { throw Self.damaged("it lacks what must be in it") }
        var members: [Member] = []
        var total = 0
        for entry in list {
            guard let path = entry["path"]?.string, let size = entry["size"]?.integer, size >= 0, size <= 1 << 50,
                let hash = entry["sha256"]?.string, hash.utf8.count == 64
            else { throw Self.damaged("a member is described wrongly") }
            total += Int(size)
            members.append(Member(path: path, size: Int(size), hash: hash))
        }
        guard Set(members.map(\.path)).count == members.count, total <= 1 << 50 else { throw Self.damaged("a member is there twice") }
        guard members.contains(where: { $0.path == Self.database }) else { throw Self.damaged("there is no database in it") }
        self.init(version: version, createdAt: createdAt, reason: reason, schemaVersion: Int(schema), members: members)
    }

    private static func damaged(_ what: String) -> BackupError { BackupError(.damaged, "the backup's manifest is damaged: \(what)") }
}
