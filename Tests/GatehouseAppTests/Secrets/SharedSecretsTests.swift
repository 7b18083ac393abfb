import GateCore
import GateCrypto
import GateIdentity
import GateSQL
import GateStores
import GateTesting
import Glibc
import Logging
import Testing

@testable import GatehouseApp

@Suite("Secrets that instances share")
struct SharedSecretsTests {
    private let start = Timestamp(seconds: 1_795_219_200)
    private let entropy = SeededEntropy(seed: 61)
    private let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func configuration(_ folder: TemporaryFolder) -> Configuration {
        var configuration = Configuration()
        configuration.dataDirectory = folder.path
        return configuration
    }

    private func open(_ folder: TemporaryFolder, _ accounts: AccountDatabase, key: ClusterKey? = nil) async throws -> SharedSecrets.Opened {
        var configuration = configuration(folder)
        configuration.database.clusterKey = key
        return try await SharedSecrets.open(
            configuration, SQLSharedSecretStore(accounts.database), configuration.signingAlgorithms, at: start, entropy: entropy, log: log)
    }

    private func error(_ folder: TemporaryFolder, _ body: () async throws -> Void) async -> String {
        do {
            try await body()
            return "none"
        } catch {
            return "\(error)".replacing(folder.path + "/", with: "")
        }
    }

    /// What both stores of secrets must do.
    private func contract(_ one: any SecretsStore, _ other: any SecretsStore) async throws {
        #expect(try await one.load() == nil)
        let first = try await one.open([.hs256, .edDSA], at: start, entropy: entropy)
        let read = try #require(try await other.load())
        #expect(read.version == first.version && read.secrets.sessionKeys.current == first.secrets.sessionKeys.current)
        #expect(try await other.open([.hs256], at: start, entropy: entropy).version == first.version, "nothing was missing")
        #expect(try await other.replace(nil, by: first.secrets) == nil, "there is something already")

        var next = first.secrets
        try next.rotate(
            .hs256, at: start, overlap: Secrets.Overlap(accessTokenLifetime: .seconds(900), sessionLifetime: .seconds(86_400)),
            entropy: entropy)
        let second = try #require(try await other.replace(first.version, by: next))
        #expect(second != first.version)
        #expect(try await one.replace(first.version, by: first.secrets) == nil, "somebody else was there first")
        let last = try #require(try await one.load())
        #expect(last.version == second && last.secrets.sessionKeys.current == next.sessionKeys.current)
    }

    @Test("the stores of secrets keep one contract: in a file")
    func file() async throws {
        let folder = TemporaryFolder()
        try await contract(SecretsFile(folder: folder.path), SecretsFile(folder: folder.path))
        #expect(folder.names == ["secrets.toml"])
    }

    @Test("the stores of secrets keep one contract: in a database, where nothing can be read without the key")
    func database() async throws {
        try await AccountDatabase.with(.postgres) { accounts in
            let rows = SQLSharedSecretStore(accounts.database)
            let key = ClusterKey.generate(entropy)
            let stores = (0..<2).map { _ in SharedSecrets(rows, key, keyPlace: "cluster.key", entropy: entropy) }
            try await contract(stores[0], stores[1])
            var row = try #require(await rows.find(SharedSecrets.row))
            let text = String(decoding: row.sealed, as: UTF8.self)
            #expect(!text.contains("session") && !text.contains("material"))
            // Neither an older row nor a changed one passes for this.
            row.version += 1
            #expect(try await rows.replace(SharedSecrets.row, version: row.version - 1, by: row))
            await #expect(throws: SecretsError.self) { _ = try await stores[0].load() }
        }
    }

    @Test("the first instance makes the key and takes secrets.toml over; the next needs the key, and says so")
    func firstAndNext() async throws {
        try await AccountDatabase.with(.postgres) { accounts in
            let (first, next) = (TemporaryFolder(), TemporaryFolder())
            let before = try await SecretsFile(folder: first.path).open([.hs256], at: start, entropy: entropy)
            let opened = try await open(first, accounts)
            #expect(opened.stored.secrets.sessionKeys.current == before.secrets.sessionKeys.current)
            #expect(first.names == ["cluster.key", "secrets.toml.in-database"] && first.mode("cluster.key") == 0o600)

            let missing = await error(next) { _ = try await open(next, accounts) }
            #expect(missing.hasPrefix("cluster.key: is missing") && missing.contains("copy cluster.key"), "\(missing)")
            #expect(next.names == [])

            next.write("cluster.key", "\(Base64URL.encode(entropy.bytes(32)))\n", mode: 0o600)
            let wrong = await error(next) { _ = try await open(next, accounts) }
            #expect(wrong.hasPrefix("cluster.key: is not the cluster key of this database's instances"), "\(wrong)")

            let key = try #require(first.read("cluster.key"))
            next.write("cluster.key", key, mode: 0o644)
            let exposed = await error(next) { _ = try await open(next, accounts) }
            #expect(exposed.hasPrefix("cluster.key: others on this machine can read or change it"), "\(exposed)")

            next.write("cluster.key", key, mode: 0o600)
            // One that was copied by hand, as before there was a key, is not believed.
            _ = try await SecretsFile(folder: next.path).open([.hs256], at: start, entropy: entropy)
            let second = try await open(next, accounts)
            #expect(second.stored.version == opened.stored.version)
            #expect(second.stored.secrets.sessionKeys.current == before.secrets.sessionKeys.current)
            #expect(next.names == ["cluster.key", "secrets.toml.in-database"])

            // Given by the configuration, it needs no file.
            let third = TemporaryFolder()
            let given = try await open(third, accounts, key: ClusterKey(key.trimmed))
            #expect(given.stored.version == opened.stored.version && third.names == [])
        }
    }

    @Test("what is rotated on one instance is taken by the other, and signs only once both have it")
    func rotation() async throws {
        try await AccountDatabase.with(.postgres) { accounts in
            let (folder, time) = (TemporaryFolder(), ManualTime(wall: start))
            let opened = try await open(folder, accounts)
            let servers = (0..<2).map { _ in ServerSecrets(opened.store, opened.stored, configuration(folder), time: time) }
            let (one, other) = (servers[0], servers[1])
            let before = (try one.signingKeys().current.id, one.sessionKeys.current)
            time.advance(by: .seconds(3600))

            let rotation = try await one.rotate(at: time.now(), entropy: entropy)
            let new = try #require(rotation.signingKeyID)
            #expect(try new != before.0 && one.signingKeys().current.id == before.0, "the other does not know the new one yet")
            #expect(try await other.refresh())
            #expect(try await other.refresh() == false)
            for server in servers {
                #expect(try server.signingKeys().current.id == before.0 && server.sessionKeys.current == before.1)
                #expect(!server.haveSettled())
            }
            // An instance that starts at this moment holds back as well.
            let late = ServerSecrets(
                opened.store, try #require(await opened.store.load()), configuration(folder), time: time)
            #expect(try late.signingKeys().current.id == before.0)
            // Whatever is made with either is good everywhere.
            let old = try one.signingKeys().sign(payload: Array("{}".utf8), typ: "at+jwt")
            time.advance(by: opened.store.settling)
            for server in servers + [late] {
                #expect(server.haveSettled() && !server.haveSettled())
                #expect(try server.signingKeys().current.id == new && server.sessionKeys.current != before.1)
                #expect(server.sessionKeys.previous.contains(before.1))
                #expect(try server.signingKeys().verify(old, typ: "at+jwt") == Array("{}".utf8))
            }
            #expect(
                try one.signingKeys().current.id == other.signingKeys().current.id && one.sessionKeys.current == other.sessionKeys.current)
        }
    }

    @Test("two rotations at once lose neither")
    func rotations() async throws {
        try await AccountDatabase.with(.postgres) { accounts in
            let folder = TemporaryFolder()
            let opened = try await open(folder, accounts)
            let servers = (0..<2).map { _ in
                ServerSecrets(opened.store, opened.stored, configuration(folder), time: ManualTime(wall: start))
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for server in servers {
                    group.addTask { [start, entropy] in _ = try await server.rotate(at: start + .seconds(60), entropy: entropy) }
                }
                try await group.waitForAll()
            }
            let stored = try #require(await opened.store.load())
            let first = try #require(Int64(opened.stored.version.text))
            #expect(stored.secrets.session.count == 3 && stored.version.text == "\(first + 2)")
        }
    }

    @Test("secrets that were made anew after the old ones were deleted are taken by an instance that went on running")
    func madeAnew() async throws {
        try await AccountDatabase.with(.postgres) { accounts in
            let (folder, time) = (TemporaryFolder(), ManualTime(wall: start))
            let opened = try await open(folder, accounts)
            let server = ServerSecrets(opened.store, opened.stored, configuration(folder), time: time)
            _ = try await accounts.database.write { try $0.execute("DELETE FROM shared_secrets") }
            #expect(try await server.refresh() == false)
            let again = try await open(folder, accounts)
            #expect(again.stored.version != opened.stored.version)
            #expect(try await server.refresh())
            #expect(server.sessionKeys.current == again.stored.secrets.sessionKeys.current, "those of before are gone")

            // Which key does not fit is said, wherever it is from.
            var moving = configuration(folder)
            moving.database.clusterKey = ClusterKey.generate(entropy)
            let wrong = await error(folder) { [moving] in
                try await MovedSecrets(moving, from: accounts.database, to: accounts.database).prepare()
            }
            #expect(wrong.hasPrefix("database.cluster_key: is not the cluster key"), "\(wrong)")
        }
    }

    @Test("a secrets.toml that is not used any more overwrites nothing, and what became of it is told as it is")
    func retired() async throws {
        try await AccountDatabase.with(.postgres) { accounts in
            let (folder, recorder) = (TemporaryFolder(), LogRecorder())
            let key = ClusterKey.generate(entropy)
            var settings = configuration(folder)
            settings.database.clusterKey = key
            for _ in 0..<3 {
                _ = try await SecretsFile(folder: folder.path).open([.hs256], at: start, entropy: entropy)
                _ = try await SharedSecrets.open(
                    settings, SQLSharedSecretStore(accounts.database), settings.signingAlgorithms, at: start, entropy: entropy,
                    log: recorder.logger)
            }
            let name = "secrets.toml.in-database"
            #expect(folder.names == [name, "\(name)-\(start.seconds)", "\(name)-\(start.seconds)-2"])
            #expect(Set(folder.names.map { folder.read($0) }).count == 3)
            #expect(recorder.lines.map { $0.hasPrefix("notice The secrets are in the database") } == [true, false, false])
            #expect(recorder.lines.map { $0.hasPrefix("warning secrets.toml is not used") } == [false, true, true], "\(recorder.lines)")
        }
    }

    @Test("settings that must agree are told with both values")
    func settings() async throws {
        try await AccountDatabase.with(.postgres) { accounts in
            let rows = SQLSharedSecretStore(accounts.database)
            let key = ClusterKey.generate(entropy)
            let recorder = LogRecorder()
            var settings = Configuration()
            for issuer in ["https://one.example", "https://one.example", "https://other.example"] {
                settings.auth.issuer = issuer
                try await SharedSettings(settings, key).compare(rows, recorder.logger)
            }
            let told = recorder.lines.filter { $0.contains("https://other.example") }
            #expect(recorder.lines.count == 1 && told.count == 1 && told[0].contains("https://one.example"), "\(recorder.lines)")
        }
    }
}

extension String {
    fileprivate var trimmed: String { String(prefix { $0 != "\n" }) }
}
