import GateBackup
import GateCore
import GateSQLite
import Glibc
import Logging
import NIOPosix
import Synchronization

/// Makes backups of one server, one at a time.
final class Backups: Sendable {
    /// What is to be made.
    struct Plan: Sendable {
        var reason: BackupManifest.Reason
        /// Left in the folder for staging instead of among the others.
        var isStaged = false
        var includesSecrets: Bool
        /// `nil`: not encrypted.
        var lock: AgeLock?
    }

    struct Made: Sendable {
        var path: String
        var manifest: BackupManifest
        /// In bytes.
        var size: Int
        var duration: Duration
        var isEncrypted: Bool
        /// Names of old ones that were deleted.
        var rotated: [String] = []
    }

    let configuration: Configuration
    /// `nil`: the database is Postgres, which has its own tools for this.
    let database: SQLiteDatabase?
    private let time: any TimeSource
    private let entropy: any Entropy
    private let log: Logger
    let history: BackupHistory
    private let isBusy = Atomic<Bool>(false)
    private let isStopping = Atomic<Bool>(false)

    init(
        _ configuration: Configuration, database: SQLiteDatabase?, time: any TimeSource, entropy: any Entropy, log: Logger
    ) {
        self.configuration = configuration
        self.database = database
        self.time = time
        self.entropy = entropy
        self.log = log
        history = BackupHistory(folder: configuration.dataDirectory, log: log)
    }

    /// Copies of the database on their way into an archive, and archives that are fetched from here.
    var staging: BackupFolder { BackupFolder(configuration.dataDirectory + "/backup-staging") }

    /// What is being made is broken off, and nothing is begun any more.
    func stop() { isStopping.store(true, ordering: .releasing) }

    /// Makes one, checks it, and puts it in its place; then deletes old ones. What became of it is logged and kept.
    func make(_ plan: Plan) async throws(BackupError) -> Made {
        guard isBusy.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged else {
            throw BackupError(.busy, "another backup is being made: wait for it")
        }
        defer { isBusy.store(false, ordering: .releasing) }
        do throws(BackupError) {
            let made = try await attempt(plan)
            history.note(
                .init(at: made.manifest.createdAt, file: made.path, size: made.size, duration: made.duration),
                isScheduled: plan.reason == .scheduled)
            log.notice(
                "A backup was made and checked",
                metadata: [
                    "file": "\(made.path)", "bytes": "\(made.size)", "duration": "\(made.duration.text)",
                    "reason": "\(plan.reason.rawValue)",
                    "encrypted": "\(made.isEncrypted)", "deleted": "\(made.rotated.joined(separator: ","))",
                ])
            return made
        } catch {
            history.note(failure: error.reason, at: time.now(), isScheduled: plan.reason == .scheduled)
            log.error("A backup failed", metadata: ["reason": "\(plan.reason.rawValue)", "error": "\(error)"])
            throw error
        }
    }

    private func attempt(_ plan: Plan) async throws(BackupError) -> Made {
        guard let database else {
            throw BackupError(
                .invalid,
                "the database is Postgres: back it up with pg_dump(1), and cluster.key of the data folder once, apart from the dumps")
        }
        let start = time.monotonic()
        let now = time.now()
        let folder = plan.isStaged ? staging : BackupFolder(configuration.backupDirectory)
        try Folders.make(folder.path)
        try Folders.make(staging.path)
        for each in [folder, staging] { PartialFile.sweep(each.path) }
        let copy = staging.path + "/snapshot.db"
        for end in ["", "-journal", "-wal", "-shm"] { unlink(copy + end) }
        defer { unlink(copy) }
        let size: Int
        let schema: Int
        do throws(StorageError) { size = try await database.snapshotSize() } catch { throw BackupError(error) }
        // The archive of what cannot be compressed is as large; what stands around each member is small.
        try FreeSpace.require([(staging.path, size), (folder.path, size + size / 64)])
        do throws(StorageError) {
            schema = try await database.snapshot(to: copy) { [self] _, _ in !isStopping.load(ordering: .acquiring) }.schemaVersion
        } catch {
            throw BackupError(error)
        }
        return try await Self.onThread { [self] () throws(BackupError) in
            try BackupInspection.requireSound(copy)
            var made = try archive(plan, copy: copy, schema: schema, into: folder, at: now)
            if !plan.isStaged {
                made.rotated = folder.rotate(BackupRotation(keep: configuration.backup.keep, keepFor: configuration.backup.keepFor))
            }
            made.duration = time.monotonic().since(start)
            return made
        }
    }

    /// On a thread that may wait for the disk.
    private func archive(_ plan: Plan, copy: String, schema: Int, into folder: BackupFolder, at now: Timestamp) throws(BackupError) -> Made
    {
        var contents = BackupContents(
            version: GatehouseVersion.current, createdAt: now, reason: plan.reason, schemaVersion: schema,
            members: [(BackupManifest.database, .file(path: copy))])
        if plan.includesSecrets { contents.members += try SecretMembers.collect(configuration.dataDirectory) }
        let file = try PartialFile(in: folder.path, entropy: entropy)
        let (manifest, keys) = try BackupArchive.write(contents, lock: plan.lock, to: file, entropy: entropy) {
            isStopping.load(ordering: .acquiring)
        }
        // From the disk, the way a restore reads it.
        guard try BackupArchive.read(try FileSource(file.path), keys: keys) == manifest else {
            throw BackupError(.damaged, "what was written is not what is read back: see to the disk of \(folder.path)")
        }
        let name = folder.freeName(plan.reason == .beforeMigration ? .beforeMigration : .regular, at: now, isEncrypted: plan.lock != nil)
        let path = Folders.path(of: name.description, in: folder.path)
        try file.place(at: path, replacing: false)
        return Made(path: path, manifest: manifest, size: file.size, duration: .zero, isEncrypted: plan.lock != nil)
    }

    /// Runs what waits for disks on a thread of its own.
    static func onThread<Result: Sendable>(_ body: @escaping @Sendable () throws(BackupError) -> Result) async throws(BackupError) -> Result
    {
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        let result: Swift.Result<Result, BackupError>
        do {
            result = try await pool.runIfActive {
                do throws(BackupError) { return .success(try body()) } catch { return .failure(error) }
            }
        } catch {
            result = .failure(BackupError(.cancelled, "the backup was broken off"))
        }
        try? await pool.shutdownGracefully()
        return try result.get()
    }
}
