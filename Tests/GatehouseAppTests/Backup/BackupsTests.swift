import GateAPI
import GateBackup
import GateCore
import GateSQL
import GateSQLite
import GateStores
import GateTesting
import Glibc
import Testing

@testable import GatehouseApp

/// Backups of a database of a test's own, with a clock that is moved by hand.
struct BackupRig {
    let folder = TemporaryFolder()
    let time = ManualTime()
    let log = LogRecorder()
    var configuration = Configuration()
    let database: SQLiteDatabase

    init(migrated: Bool = true, _ change: (inout Configuration) -> Void = { _ in }) async throws {
        configuration.dataDirectory = folder.path
        change(&configuration)
        database = try await SQLiteDatabase.open(path: folder.file("gatehouse.db"), time: time, logger: log.logger)
        if migrated { _ = try await MigrationPlan(AccountMigrations.sqlite).up(database, time: time) }
    }

    var backups: Backups {
        Backups(configuration, database: database, time: time, entropy: SystemEntropy(), log: log.logger)
    }

    var plan: Backups.Plan { Backups.Plan(reason: .scheduled, includesSecrets: false) }
    var files: [String] { FolderContents.names(in: folder.file("backups")) }

    static func expect(_ kind: BackupError.Kind, _ body: () async throws -> Void) async {
        do {
            try await body()
            Issue.record("nothing was thrown")
        } catch {
            #expect((error as? BackupError)?.kind == kind, "\(error)")
        }
    }
}

@Suite struct BackupsTests {
    @Test("One is made, checked, logged, and remembered after a restart; older ones go")
    func made() async throws {
        let rig = try await BackupRig { $0.backup.keep = 2 }
        for _ in 0..<3 {
            let made = try await rig.backups.make(rig.plan)
            #expect(made.manifest.schemaVersion == 1 && made.manifest.reason == .scheduled && !made.isEncrypted)
            rig.time.advance(by: .seconds(86_400))
        }
        #expect(rig.files == ["gatehouse-20261121T000000Z.tar.gz", "gatehouse-20261122T000000Z.tar.gz"])
        #expect(FolderContents.names(in: rig.folder.file("backup-staging")).isEmpty, "no copy of the database stays")
        #expect(rig.folder.mode("backups") == 0o700 && rig.folder.mode("backups/" + rig.files[0]) == 0o600)
        let history = rig.backups.history.current
        #expect(history.lastSuccess?.file == rig.folder.file("backups/gatehouse-20261122T000000Z.tar.gz") && history.failures == 0)
        #expect(rig.log.lines.count { $0.hasPrefix("notice A backup was made and checked") } == 3)
        await rig.database.close()
    }

    @Test("Health tells of those on schedule alone: one that failed, and one that did not come")
    func health() async throws {
        let rig = try await BackupRig { $0.backup.maxAge = .seconds(36 * 3600) }
        let backups = rig.backups
        let component = BackupComponent(history: backups.history, maxAge: rig.configuration.backup.maxAge, time: rig.time)
        func status() async -> String { component.isListed ? await component.check().status.rawValue : "not listed" }
        _ = try await backups.make(Backups.Plan(reason: .manual, includesSecrets: false))
        #expect(await status() == "not listed")
        rig.time.advance(by: .seconds(1))
        _ = try await backups.make(rig.plan)
        #expect(await status() == "healthy")
        rig.time.advance(by: .seconds(36 * 3600 + 1))
        #expect(await status() == "degraded")
        _ = try await backups.make(rig.plan)
        #expect(await status() == "healthy")
        // A file where the folder should be.
        FolderContents.removeAll(rig.folder.file("backups"))
        rig.folder.write("backups", "")
        await BackupRig.expect(.taken) { _ = try await backups.make(rig.plan) }
        #expect(await status() == "degraded")
        #expect(BackupHistory(folder: rig.folder.path, log: rig.log.logger).current.hasFailed, "after a restart too")
        unlink(rig.folder.file("backups"))
        _ = try await backups.make(Backups.Plan(reason: .manual, includesSecrets: false))
        #expect(await status() == "degraded", "one by hand says nothing about the schedule")
        #expect(rig.log.lines.contains { $0.hasPrefix("error A backup failed") })
        let metrics = MetricsRegistry()
        metrics.register(backups.history)
        #expect(metrics.text.contains("gatehouse_backup_failures_total 1\n"))
        #expect(metrics.text.contains("gatehouse_backup_last_success_timestamp_seconds \(rig.time.now().seconds)"))
        await rig.database.close()
    }

    @Test("A server that stops breaks it off, and a second one at a time is refused")
    func oneAtATime() async throws {
        let rig = try await BackupRig()
        let backups = rig.backups
        // However the two interleave, each is made or refused, and none is damaged.
        async let first = Result { try await backups.make(rig.plan) }
        async let second = Result { try await backups.make(rig.plan) }
        let failures = await [first, second].compactMap { if case .failure(let error) = $0 { (error as? BackupError)?.kind } else { nil } }
        #expect(failures.isEmpty || failures == [.busy], "\(failures)")
        #expect(rig.files.count == 2 - failures.count)
        backups.stop()
        await BackupRig.expect(.cancelled) { _ = try await backups.make(rig.plan) }
        #expect(FolderContents.names(in: rig.folder.file("backup-staging")).isEmpty)
        await rig.database.close()
    }

    @Test("Before a migration there is one; of a new database, and where nothing is pending, there is none")
    func beforeMigration() async throws {
        let rig = try await BackupRig(migrated: false)
        let first = try MigrationPlan(AccountMigrations.sqlite)
        let both = try MigrationPlan(
            AccountMigrations.sqlite + [
                Migration(version: 99, name: "more", up: "CREATE TABLE more (id INTEGER) STRICT;", down: "DROP TABLE more;")
            ])
        try await rig.backups.makeBeforeMigration(first)
        _ = try await first.up(rig.database, time: rig.time)
        try await rig.backups.makeBeforeMigration(first)
        #expect(rig.files.isEmpty)
        try await rig.backups.makeBeforeMigration(both)
        #expect(rig.files == ["before-migration-20261120T000000Z.tar.gz"])
        // Where it cannot be made, nothing is changed, and the way out is named.
        FolderContents.removeAll(rig.folder.file("backups"))
        rig.folder.write("backups", "")
        await #expect { try await rig.backups.makeBeforeMigration(both) } throws: { error in
            "\(error)".contains("Nothing was changed") && "\(error)".contains("--without-backup")
        }
        await rig.database.close()
    }

    @Test("Secrets and certificates are in it on request: not orders, not what is half written")
    func secrets() async throws {
        let rig = try await BackupRig()
        for folder in ["acme", "acme/accounts", "acme/certificates", "acme/orders"] { mkdir(rig.folder.file(folder), 0o700) }
        for name in [
            "secrets.toml", "self-signed.pem", "acme/history.json", "acme/accounts/ca.json", "acme/certificates/a.test.pem",
            "acme/certificates/a.test.pem.Xy12Ab", "acme/orders/a.json", "admin.sock", "notes",
        ] { rig.folder.write(name, name) }
        let made = try await rig.backups.make(Backups.Plan(reason: .manual, includesSecrets: true))
        #expect(
            made.manifest.members.map(\.path) == [
                "gatehouse.db", "secrets/secrets.toml", "certificates/self-signed.pem", "certificates/acme/history.json",
                "certificates/acme/accounts/ca.json", "certificates/acme/certificates/a.test.pem",
            ])
        for member in made.manifest.members.dropFirst() {
            #expect(SecretMembers.place(of: member.path).flatMap { rig.folder.read($0) } != nil, "\(member.path) has a place to go back to")
        }
        for path in ["secrets/other", "certificates/x", "certificates/../secrets.toml", "gatehouse.lock"] {
            #expect(SecretMembers.place(of: path) == nil)
        }
        await rig.database.close()
    }

    @Test("A folder of certificates that cannot be read is no empty one: the backup fails and names it")
    func unreadableCertificates() throws {
        let folder = TemporaryFolder()
        for name in ["acme", "acme/accounts", "acme/certificates"] { mkdir(folder.file(name), 0o755) }
        chmod(folder.path, 0o755)
        #expect(try SecretMembers.collect(folder.path).isEmpty)
        chmod(folder.file("acme/certificates"), 0)
        #expect {
            try withoutRootsRights { _ = try SecretMembers.collect(folder.path) }
        } throws: { error in
            (error as? BackupError)?.kind == .notPermitted && "\(error)".contains("acme/certificates")
        }
        chmod(folder.file("acme/certificates"), 0o700)
    }
}

extension Result where Failure == any Error {
    init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
