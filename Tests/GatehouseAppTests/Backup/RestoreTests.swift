import GateBackup
import GateCore
import GateCrypto
import GateSQL
import GateSQLite
import GateStores
import GateTesting
import Testing

@testable import GatehouseApp

@Suite struct RestoreTests {
    /// A backup of a folder with a server's secrets in it.
    private func backup(secrets: Bool) async throws -> (rig: BackupRig, path: String, secrets: Secrets) {
        let rig = try await BackupRig()
        let made = try await SecretsFile(folder: rig.folder.path).open([.hs256], at: rig.time.now(), entropy: SystemEntropy()).secrets
        let backup = try await rig.backups.make(Backups.Plan(reason: .manual, includesSecrets: secrets))
        await rig.database.close()
        return (rig, backup.path, made)
    }

    private func restore(
        _ path: String, into folder: TemporaryFolder, replacing: Bool = false, keepingSessions: Bool = false
    ) throws -> Restore.Report {
        var configuration = Configuration()
        configuration.dataDirectory = folder.path
        return try Restore(FileSource(path), keys: AgeKeys(), time: ManualTime(), entropy: SystemEntropy())
            .run(configuration, replacing: replacing, keepingSessions: keepingSessions)
    }

    @Test("Keys are made anew, and tokens refused that were issued before, whoever holds the key", arguments: [true, false])
    func keys(included: Bool) async throws {
        let (rig, path, before) = try await backup(secrets: included)
        defer { withExtendedLifetime(rig) {} }
        let folder = TemporaryFolder()
        let report = try restore(path, into: folder)
        let after = try #require(try SecretsFile(folder: folder.path).read())
        #expect(after.sessionKeys.current != before.sessionKeys.current && after.sessionKeys.previous.isEmpty && after.signing.isEmpty)
        #expect((after.accountHashKey == before.accountHashKey) == included)
        #expect(after.tokensValidFrom == Timestamp(seconds: rig.time.now().seconds + 1))
        #expect(report.hasEndedSessions && report.replaced == nil)
        #expect(folder.names == ["gatehouse.db", "gatehouse.lock", "secrets.toml"])
        #expect(folder.mode("gatehouse.db") == 0o600 && folder.mode("secrets.toml") == 0o600)
    }

    @Test("Asked to, it leaves sessions and keys as they are in the backup")
    func keeping() async throws {
        let (rig, path, before) = try await backup(secrets: true)
        defer { withExtendedLifetime(rig) {} }
        let folder = TemporaryFolder()
        _ = try restore(path, into: folder, keepingSessions: true)
        let after = try #require(try SecretsFile(folder: folder.path).read())
        #expect(after.sessionKeys.current == before.sessionKeys.current && after.tokensValidFrom == nil)
    }

    @Test("What is there stays without the word for it; with it, it is moved aside")
    func replacing() async throws {
        let (rig, path, _) = try await backup(secrets: true)
        let before = rig.folder.read("secrets.toml")
        #expect { try restore(path, into: rig.folder) } throws: { ($0 as? CommandFailure)?.code == .cannotCreate }
        #expect(rig.folder.read("secrets.toml") == before)
        let report = try restore(path, into: rig.folder, replacing: true)
        let aside = Folders.name(of: try #require(report.replaced))
        #expect(rig.folder.read("\(aside)/secrets.toml") == before && rig.folder.read("secrets.toml") != before)
        #expect(FolderContents.names(in: try #require(report.replaced)).contains("gatehouse.db"))
    }

    @Test("A database with a newer schema is refused, and nothing is touched")
    func newer() async throws {
        let rig = try await BackupRig()
        defer { withExtendedLifetime(rig) {} }
        _ = try await MigrationPlan(
            AccountMigrations.sqlite + [Migration(version: 99, name: "later", up: "CREATE TABLE later (id INTEGER) STRICT;", down: "")]
        ).up(rig.database, time: rig.time)
        let made = try await rig.backups.make(rig.plan)
        await rig.database.close()
        let folder = TemporaryFolder()
        #expect { try restore(made.path, into: folder) } throws: { ($0 as? CommandFailure)?.code == .configuration }
        #expect(folder.names == ["gatehouse.lock"])
        let reading = try Restore(FileSource(made.path), keys: AgeKeys(), time: ManualTime(), entropy: SystemEntropy())
        #expect { try reading.verify() } throws: { ($0 as? BackupError)?.kind == .newer }
    }

    @Test("A running server's folder is refused")
    func running() async throws {
        let (rig, path, _) = try await backup(secrets: false)
        let lock = try DataDirectoryLock(folder: rig.folder.path)
        #expect { try restore(path, into: rig.folder, replacing: true) } throws: { ($0 as? CommandFailure)?.code == .unavailable }
        lock.release()
    }
}
