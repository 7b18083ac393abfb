import GateCore

/// Whether the data folder can be used: it is this user's alone, has room, and the database opens.
struct DataFolderCheck {
    let path: String
    let folder: Result<FileFacts, FileFault>
    /// Of the user that asks.
    let user: UInt32
    let room: FreeRoom?
    let database: Database
    /// Files with keys that others can read.
    let exposed: [String]
    /// `nil` where no instance shares the database with this one.
    var clusterKey: ClusterKeyState?

    /// The key under which instances share secrets.
    enum ClusterKeyState: Hashable {
        case given
        case file(String)
        case missing(String)
        case unusable(SecretsError)
    }

    enum Database: Hashable {
        case answers
        /// There is none yet.
        case missing
        /// Another process has the folder, as it should while the server runs.
        case inUse
        case failing(String)
        case skipped(String)
        /// On a server of its own, see ``PostgresCheck``.
        case elsewhere
    }

    /// Below it a server that logs in a few thousand people fills what is left within a day or so.
    static let warningRoom: UInt64 = 1 << 30
    static let problemRoom: UInt64 = 100 << 20
    static let fewInodes: UInt64 = 1000

    func findings() -> [Finding] {
        switch folder {
        case .failure(let fault) where fault.isMissing:
            return [say(.ok, "\(path) does not exist yet: it is made at the first start.")]
        case .failure(let fault):
            return [say(.problem, "\(path) cannot be looked at: \(fault).", "Run gatehouse doctor as the user that owns it, or as root.")]
        case .success(let facts) where !facts.isFolder:
            return [say(.problem, "\(path) is no folder.", "Move it away, or set data_dir to another path.")]
        case .success(let facts):
            return [ownership(facts), exposure, clusterKey.map(clusterKeyFinding), roomFinding, databaseFinding].compactMap { $0 }
        }
    }

    private func ownership(_ facts: FileFacts) -> Finding {
        let owner = PortHolders.userName(facts.owner)
        if facts.mode & 0o002 != 0 || facts.mode & 0o020 != 0 {
            return say(
                .problem, "Others than \(owner) can change what is in \(path) (mode 0\(String(facts.mode, radix: 8))).",
                "chmod 0700 \(path)")
        }
        if facts.mode & 0o077 != 0 {
            return say(
                .warning, "Others than \(owner) can look into \(path) (mode 0\(String(facts.mode, radix: 8))).", "chmod 0700 \(path)")
        }
        if facts.owner != user, user != 0 {
            return say(
                .problem, "\(path) belongs to \(owner), and you are \(PortHolders.userName(user)).",
                "Run gatehouse as \(owner): sudo -u \(owner) gatehouse doctor")
        }
        return say(.ok, "\(path) belongs to \(owner), and nobody else sees it.")
    }

    private var exposure: Finding? {
        guard let first = exposed.first else { return nil }
        let others = exposed.count == 1 ? "" : " and \(exposed.count - 1) more"
        return say(
            .problem, "Others can read \(first)\(others), which holds keys.",
            "chmod 600 \(exposed.prefix(8).joined(separator: " ")); and if somebody may have: gatehouse secret rotate")
    }

    private func clusterKeyFinding(_ state: ClusterKeyState) -> Finding {
        func say(_ status: Finding.Status, _ seen: String, _ advice: String? = nil) -> Finding {
            Finding("cluster key", Finding.thisMachine, status, seen, advice: advice)
        }
        return switch state {
        case .given: say(.ok, "The cluster key is given by database.cluster_key: a further instance is given the same.")
        case .file(let path):
            say(.ok, "The cluster key is in \(path): a further instance needs a copy of this file (mode 0600) in its data folder, once.")
        case .missing(let path):
            say(
                .warning,
                "There is no cluster key yet. The first instance on the database makes it at its start; any other does not start.",
                "If there is one already, copy its cluster.key to \(path) (mode 0600).")
        case .unusable(let error):
            say(.problem, "\(error.path) \(error.problem).", error.cure.prefix(1).uppercased() + error.cure.dropFirst() + ".")
        }
    }

    private var roomFinding: Finding? {
        guard let room else { return nil }
        let left = "\(room.bytes >> 20) MiB"
        if room.bytes < Self.problemRoom {
            return say(
                "disk", .problem, "Only \(left) are free where \(path) is: soon nothing can be written.", "Make room, or move data_dir.")
        }
        if room.countsInodes, room.inodes < Self.fewInodes {
            return say(
                "disk", .problem, "Only \(room.inodes) inodes are free where \(path) is: soon no file can be made.",
                "Delete small files there: df -i shows the file system.")
        }
        if room.bytes < Self.warningRoom {
            return say("disk", .warning, "\(left) are free where \(path) is.", "Make room, or move data_dir.")
        }
        return say("disk", .ok, "\(room.bytes >> 30) GiB are free where \(path) is.")
    }

    private var databaseFinding: Finding? {
        switch database {
        case .elsewhere: nil
        case .answers: say("database", .ok, "The database answers.")
        case .missing: say("database", .ok, "There is no database yet: it is made at the first start.")
        case .inUse: say("database", .skipped, "Another process works on the folder; the running server tells of its own database.")
        case .skipped(let why): say("database", .skipped, why)
        case .failing(let words):
            say(
                "database", .problem, "The database cannot be used: \(words).",
                "gatehouse's log says more; restore it from a backup if it is damaged.")
        }
    }

    private func say(_ status: Finding.Status, _ seen: String, _ advice: String? = nil) -> Finding { say("data", status, seen, advice) }

    private func say(_ check: String, _ status: Finding.Status, _ seen: String, _ advice: String? = nil) -> Finding {
        Finding(check, Finding.thisMachine, status, seen, advice: advice)
    }
}
