import GateBackup
import GateCore
import GateSQLite
import Glibc

extension Restore {
    /// Checks all of it first; then puts it in the place of what is there, as a whole. Whenever this is interrupted, the next one who works on
    /// the folder finds the old data or the new.
    ///
    /// Unless they are kept, every session ends: what was revoked after the backup is in it as if it were not. Keys are made anew, and tokens
    /// that were issued until now are refused, whichever key signed them.
    ///
    /// - Parameters:
    ///   - replacing: whether there may be data. It is moved aside, never deleted.
    ///   - keepingSessions: leaves sessions and keys as they are in the backup.
    /// - Throws: `CommandFailure`.
    package func run(_ configuration: Configuration, replacing: Bool, keepingSessions: Bool) throws -> Report {
        guard let database = configuration.databasePath else {
            throw CommandFailure(
                BackupError(.invalid, "database.url is Postgres: restore that with pg_restore(1); a backup of SQLite goes into SQLite only")
            )
        }
        // What only root can read is open by now.
        try DataFolderOwner.become(of: configuration.dataDirectory)
        do {
            let lock = try DataFolderLock.take(configuration.dataDirectory)
            defer { lock.release() }
            return try run(
                RestoreTargets(configuration, database: database, at: time.now()), replacing: replacing, keepingSessions: keepingSessions)
        } catch let error as StorageError {
            throw CommandFailure(error)
        } catch let error as BackupError {
            throw CommandFailure(error)
        }
    }

    private func run(_ targets: RestoreTargets, replacing: Bool, keepingSessions: Bool) throws(BackupError) -> Report {
        guard replacing || !Folders.exists(targets.database) else {
            throw BackupError(
                .taken, "\(targets.database) exists: to put the backup in its place, say --replace; what is there is then moved aside")
        }
        targets.clearStaging()
        var places: [String] = []
        var archived: [UInt8]?
        let manifest: BackupManifest
        let contents: BackupInspection
        do throws(BackupError) {
            manifest = try BackupArchive.read(source, keys: keys) { manifest throws(BackupError) in
                try Folders.make(targets.staging)
                try Folders.make(targets.databaseStaging)
                try FreeSpace.require([(targets.databaseStaging, manifest.totalSize)])
            } target: { member throws(BackupError) in
                if member.path == BackupManifest.database { return try StagedFile(targets.stagedDatabase) }
                guard let place = SecretMembers.place(of: member.path), member.size <= SecretMembers.largestFile else {
                    throw BackupError(.foreign, "the backup holds \(member.path), which this version does not know")
                }
                places.append(place)
                return try StagedFile("\(targets.staging)/\(place)")
            }
            contents = try Self.inspect(targets.stagedDatabase, manifest)
            if manifest.hasSecrets { archived = try FileSource("\(targets.staging)/secrets.toml").all(limit: SecretMembers.largestFile) }
            if !keepingSessions {
                try BackupInspection.endSessions(targets.stagedDatabase)
                try renewSecrets(archived, targets)
                places = SecretMembers.replaced(by: places + ["secrets.toml"])
            }
        } catch {
            targets.clearStaging()
            throw error
        }
        let hadData = Folders.exists(targets.database)
        try RestoreJournal(
            moves: targets.moves(SecretMembers.replaced(by: places)), staging: [targets.staging, targets.databaseStaging]
        ).commit(in: targets.folder)
        if !keepingSessions { awaitNextSecond() }
        return Report(
            manifest: manifest, contents: contents, replaced: hadData ? targets.aside : nil, hasEndedSessions: !keepingSessions)
    }

    /// New keys, which nothing that was made before is signed with; of the old secrets only the key that login failures are kept under.
    private func renewSecrets(_ archived: [UInt8]?, _ targets: RestoreTargets) throws(BackupError) {
        let staged = "\(targets.staging)/secrets.toml"
        var secrets: Secrets
        do throws(SecretsError) {
            if let archived {
                secrets = try SecretsDocument.read(String(decoding: archived, as: UTF8.self), path: "secrets.toml of the backup")
            } else {
                // Those in force cannot be read: they would be replaced in any case.
                let current = try? SecretsFile(folder: targets.folder).read()
                secrets = current ?? Secrets.generate(at: time.now(), entropy: entropy)
            }
        } catch {
            throw BackupError(.damaged, error.description)
        }
        secrets.renew(at: time.now(), entropy: entropy)
        unlink(staged)
        try StagedFile.write(Array(SecretsDocument.text(of: secrets).utf8), to: staged)
    }

    /// Tokens tell whole seconds. Those of the server that starts next must not be taken for older ones.
    private func awaitNextSecond() { usleep(UInt32(1000 * (1001 - time.now().milliseconds % 1000))) }
}

/// Where a restore puts what, in a data folder.
struct RestoreTargets {
    let folder: String
    let database: String
    /// Below the data folder.
    let staging: String
    /// Below the database's folder, which may be on another disk.
    let databaseStaging: String
    private let asideName: String

    init(_ configuration: Configuration, database: String, at now: Timestamp) {
        folder = configuration.dataDirectory
        self.database = database
        staging = folder + "/restore-staging"
        databaseStaging = Folders.parent(of: database) + "/restore-staging-database"
        asideName = "replaced-" + now.rfc3339.prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
    }

    var stagedDatabase: String { databaseStaging + "/" + BackupManifest.database }

    /// Where what is there now goes.
    var aside: String { Folders.parent(of: database) + "/" + asideName }

    func clearStaging() {
        FolderContents.removeAll(staging)
        FolderContents.removeAll(databaseStaging)
    }

    /// - Parameter places: files and folders below the data folder.
    func moves(_ places: [String]) -> [RestoreJournal.Move] {
        // The old log must not be taken for the new file's.
        let logs = ["-wal", "-shm", "-journal"].map { end in
            RestoreJournal.Move(source: nil, target: database + end, aside: "\(aside)/\(Folders.name(of: database))\(end)")
        }
        let file = RestoreJournal.Move(
            source: stagedDatabase, target: database, aside: "\(aside)/\(Folders.name(of: database))")
        return logs + [file]
            + places.map { place in
                RestoreJournal.Move(
                    source: "\(staging)/\(place)", target: "\(folder)/\(place)", aside: "\(folder)/\(asideName)/\(place)")
            }
    }
}
