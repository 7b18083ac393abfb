import GateAPI
import GateCore
import GateHTTP
import GateTesting
import NIOHTTP1
import Testing

@testable import GatehouseApp

@Suite("Reading the configuration again")
struct ReloadTests {
    @Test(
        "what can change while the server runs, and what needs a restart",
        arguments: [
            ("", "", [], []),
            ("", "limits.policies.api.limit = 7", ["limits.policies.api.limit"], []),
            ("", "[[site]]\nrespond = \"\"", ["site"], []),
            ("[[site]]\nrespond = \"a\"", "[[site]]\nrespond = \"b\"", ["site"], []),
            ("", "[limits.policies.x]\nlimit = 1\nwindow = \"1m\"", ["limits.policies"], []),
            ("", "cors.origins = [\"https://a.test\"]\nheaders.frame_options = \"off\"", ["cors.origins", "headers.frame_options"], []),
            ("", "log.level = \"debug\"\nlog.access = \"off\"\nlog.format = \"text\"", ["log.level", "log.access"], ["log.format"]),
            ("", "data_dir = \"/x\"", [], ["data_dir", "listen.admin"]),
            ("", "auth.jwt_secret = \"0123456789abcdef0123456789abcdef\"", [], ["auth.jwt_secret"]),
            ("", "listen.http = \"127.0.0.1:9\"", [], ["public_url", "listen.http", "auth.issuer", "auth.audience"]),
            (
                "public_url = \"https://a.test\"\nacme.email = \"a@a.test\"",
                "public_url = \"https://a.test\"\nacme.email = \"a@a.test\"\n[[site]]\nhost = \"b.test\"\nrespond = \"\"",
                ["acme.domains", "site"],
                []
            ),
            (
                "public_url = \"https://a.test\"\nacme.email = \"a@a.test\"", "public_url = \"https://b.test\"\nacme.email = \"a@a.test\"",
                [],
                ["public_url", "acme.domains", "auth.issuer", "auth.audience"]
            ),
        ] as [(String, String, [String], [String])])
    func changes(_ old: String, _ new: String, _ changed: [String], _ needsRestart: [String]) throws {
        let before = try load(old).get().configuration
        let change = ConfigurationChange(from: before, to: try load(new).get().configuration)
        #expect(change.changed == changed)
        #expect(change.needsRestart == needsRestart)
        // What waits is as before: another reload finds nothing but that.
        #expect(ConfigurationChange(from: before, to: change.next).changed == changed)
        #expect(ConfigurationChange(from: before, to: change.next).needsRestart == [])
    }

    /// A server's parts around a configuration file that changes.
    private struct Running: Sendable {
        let gate: FrontHarness
        let responders: DoorResponders
        let reload: ConfigurationReload

        func write(_ toml: String) { _ = gate.folder.write("gatehouse.toml", toml) }
        func word(_ path: String, _ headers: HTTPHeaders = [:]) async -> String {
            await gate.ask(path, headers, of: responders.responder).word
        }
    }

    private func run(_ toml: String, _ body: (Running) async throws -> Void) async throws {
        try await FrontHarness.run(toml) { gate in
            let responders = DoorResponders(gate.front, doctorProof: gate.composition.doctorProof)
            let folder = gate.folder.path
            let output = LogPipe(style: .json).output
            let reload = ConfigurationReload(
                gate.front, composition: gate.composition, client: gate.client, responders: responders, upstreams: WatchedUpstreams(),
                output: output, manager: ServiceManager(environment: [:]), status: "", log: gate.log.logger
            ) {
                Configuration.load(Configuration.Sources(configurationFile: folder + "/gatehouse.toml", cores: 4)).map { loaded in
                    var configuration = loaded.configuration
                    configuration.dataDirectory = folder
                    configuration.listen.admin = gate.front.configuration.listen.admin
                    configuration.auth.bcryptCost = gate.front.configuration.auth.bcryptCost
                    return Configuration.Loaded(
                        configuration: configuration, origins: loaded.origins, siteOrigins: loaded.siteOrigins, notices: loaded.notices)
                }
            }
            try await body(Running(gate: gate, responders: responders, reload: reload))
        }
    }

    @Test("sites and limits are others with the next request; who is signed in stays so")
    func exchange() async throws {
        try await run("[[site]]\nrespond = \"old\"\naccess = \"signed-in\"") { server in
            let token: HTTPHeaders = ["authorization": "Bearer \(try await server.gate.token())"]
            #expect(await server.word("/", token) == "old")
            server.write("limits.policies.site.limit = 3\n[[site]]\nrespond = \"new\"\naccess = \"signed-in\"")
            let report = await server.reload.reload()
            #expect(report.changed == ["limits.policies.site.limit", "site"] && report.faults == [] && report.needsRestart == [])
            // Counted on: one of the three was before.
            for word in ["new", "new", "rate-limit/exceeded"] { #expect(await server.word("/", token) == word) }
            #expect(server.gate.log.lines.last == "notice The configuration was read again changed=limits.policies.site.limit site")
            server.write("")
            #expect(await server.reload.reload().changed.contains("site"))
            #expect(await server.word("/", token) == "not-found")
        }
    }

    @Test(
        "a faulty configuration is refused with every fault, and the one before goes on",
        arguments: [
            ("bogus = 1\n[[site]]\nrespnd = \"\"", 3), ("[[site]\n", 1), ("[[site]]\nroot = \"/nowhere/at/all\"", 1),
            ("[[site]]\nupstream = \"https://127.0.0.1:1\"\nupstream_ca = \"/nowhere.pem\"", 1),
        ])
    func faults(_ toml: String, _ count: Int) async throws {
        try await run("[[site]]\nrespond = \"old\"") { server in
            server.write(toml)
            let report = await server.reload.reload()
            #expect(report.faults.count == count, "\(report.faults)")
            #expect(report.changed == [])
            #expect(await server.word("/") == "old")
            #expect(
                server.gate.log.lines.count { $0.hasPrefix("error The configuration is faulty, the one before goes on fault=") } == count)
            server.write("[[site]]\nrespond = \"new\"")
            #expect(await server.reload.reload().changed == ["site"])
            #expect(await server.word("/") == "new")
        }
    }

    @Test("requests meet the old configuration or the new one, whatever thread they run on, and none is lost")
    func concurrency() async throws {
        try await run("[[site]]\nrespond = \"0\"\nlimits = []") { server in
            let responder = server.responders.responder
            let gate = server.gate
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        var asked = 0
                        repeat {
                            let word = await gate.ask("/", of: responder).word
                            let number = try #require(Int(word), "\(word)")
                            #expect(number <= 20 && number >= 0)
                            asked += 1
                        } while !Task.isCancelled
                        return asked
                    }
                }
                for number in 1...20 {
                    server.write("[[site]]\nrespond = \"\(number)\"\nlimits = []")
                    #expect(await server.reload.reload().changed == ["site"])
                    #expect(await server.word("/") == "\(number)")
                }
                group.cancelAll()
                for try await asked in group { #expect(asked > 0) }
            }
        }
    }
}
