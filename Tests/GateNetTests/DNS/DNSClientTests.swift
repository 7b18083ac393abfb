import GateCore
import GateTesting
import Testing

@testable import GateNet

@Suite("DNS client")
struct DNSClientTests {
    private static func client(_ servers: DNSServer..., timeLimit: Duration = .seconds(5), attempts: Int = 1) -> DNSClient {
        DNSClient(ResolverConfiguration(servers: servers, timeLimit: timeLimit, attempts: attempts))
    }

    private static let name = DNSName("app.example")!

    /// The answer for an A question, or its error, in words.
    private static func outcome(_ answer: @escaping StandInNameServer.Answer, timeLimit: Duration = .seconds(5)) async throws -> String {
        var words = ""
        try await StandInNameServer.run(answer) { server in
            do throws(DNSError) {
                let answer = try await client(server.address, timeLimit: timeLimit).records(.a, of: name)
                words = "\(answer.existence) \(answer.records.compactMap { $0.address?.description }) via \(answer.aliases)"
            } catch {
                words = "\(error.reason)"
            }
        }
        return words
    }

    struct Situation: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let expected: String
        let answer: StandInNameServer.Answer

        init(_ what: String, _ expected: String, _ answer: @escaping StandInNameServer.Answer) {
            testDescription = what
            self.expected = expected
            self.answer = answer
        }
    }

    private static let address = DNSRecord.a("app.example", "192.0.2.1")
    private static let alias = DNSRecord.cname("app.example", "b.example")
    private static let aliasAddress = DNSRecord.a("b.example", "192.0.2.1")

    private static let situations = [
        Situation("an address", "found [\"192.0.2.1\"] via []") { [$0.reply([address])] },
        Situation("an alias with its address", "found [\"192.0.2.1\"] via [b.example]") { [$0.reply([alias, aliasAddress])] },
        Situation("an alias alone, whose address is asked for", "found [\"192.0.2.1\"] via [b.example]") {
            [$0.reply([$0.question.name == name ? alias : aliasAddress])]
        },
        Situation("no such name", "noSuchName [] via []") { [$0.reply { $0.code = .noSuchName }] },
        Situation("an alias to nothing", "noSuchName [] via [b.example]") { query in
            let reply = query.reply([alias]) {
                $0.code = .noSuchName
                $0.authorities = [.soa("example")]
            }
            return [reply]
        },
        Situation("no record of the type", "noRecords [] via []") { [$0.reply { $0.authorities = [.soa("example")] }] },
        Situation("another name's address", "noRecords [] via []") { [$0.reply([.a("evil.example", "192.0.2.66")])] },
        Situation("SERVFAIL", "serverFailure") { [$0.reply { $0.code = .serverFailure }] },
        Situation("REFUSED", "refused") { [$0.reply { $0.code = .refused }] },
        Situation("aliases in a circle", "aliasLoop") { [$0.reply([alias, .cname("b.example", "app.example")])] },
        Situation("aliases in a circle over several answers", "aliasLoop") {
            [$0.reply([$0.question.name == name ? alias : .cname("b.example", "app.example")])]
        },
        Situation("aliases without end", "aliasLoop") {
            [$0.reply([.cname($0.question.name.description, "a\($0.count).example")])]
        },
    ]

    @Test("What servers answer", arguments: situations)
    func answers(_ situation: Situation) async throws {
        #expect(try await Self.outcome(situation.answer) == situation.expected)
    }

    struct Forgery: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let change: @Sendable (inout DNSMessage) -> Void

        init(_ what: String, _ change: @escaping @Sendable (inout DNSMessage) -> Void) {
            testDescription = what
            self.change = change
        }
    }

    private static let forgeries = [
        Forgery("another id") { $0.id ^= 1 },
        Forgery("a query, no response") { $0.isResponse = false },
        Forgery("another question") { $0.questions = [DNSQuestion(DNSName("evil.example")!, .a)] },
        Forgery("another type") { $0.questions[0].type = .aaaa },
        Forgery("no question") { $0.questions = [] },
        Forgery("two questions") { $0.questions += $0.questions },
        Forgery("another operation") { $0.operation = 5 },
    ]

    @Test("Forged and foreign replies are passed over, and the true one is taken", arguments: forgeries)
    func forged(_ forgery: Forgery) async throws {
        let outcome = try await Self.outcome { query in
            let evil = DNSRecord.a("app.example", "192.0.2.66")
            let cut = Array(query.reply([evil]).dropLast(2))
            return [query.reply([evil], forgery.change), [], [0], [UInt8](repeating: 0xFF, count: 40), cut, query.reply([Self.address])]
        }
        #expect(outcome == "found [\"192.0.2.1\"] via []")
    }

    @Test("A malformed answer and none at all are told apart")
    func nothingUsable() async throws {
        let limit = Duration.milliseconds(100)
        #expect(try await Self.outcome({ _ in [] }, timeLimit: limit) == "timedOut")
        let cut: StandInNameServer.Answer = { [Array($0.reply([Self.address]).dropLast())] }
        #expect(try await Self.outcome(cut, timeLimit: limit) == "badResponse")
    }

    @Test("A truncated answer is asked for again over TCP")
    func truncated() async throws {
        try await StandInNameServer.run { query in
            [query.reply((1...200).map { .a("app.example", "192.0.2.\($0)") }) { $0.isTruncated = !query.isTCP }]
        } _: { server in
            let answer = try await Self.client(server.address).records(.a, of: Self.name)
            #expect(answer.records.count == 200)
            #expect(server.seen.map(\.isTCP) == [false, true])
        }
    }

    @Test("An answer that is truncated over TCP too is refused")
    func truncatedTwice() async throws {
        #expect(try await Self.outcome({ [$0.reply { $0.isTruncated = true }] }) == "badResponse")
    }

    @Test("A connection that ends early is no answer")
    func cutStream() async throws {
        let outcome = try await Self.outcome { query in query.isTCP ? [] : [query.reply { $0.isTruncated = true }] }
        #expect(outcome == "badResponse")
    }

    @Test("A server that does not know EDNS is asked without")
    func withoutExtensions() async throws {
        try await StandInNameServer.run { query in
            if query.message.extensions == nil { return [query.reply([Self.address])] }
            let refusal = query.reply {
                $0.code = .formatError
                $0.questions = []
            }
            return [refusal]
        } _: { server in
            let answer = try await Self.client(server.address).records(.a, of: Self.name)
            #expect(answer.existence == .found)
            #expect(server.seen.map { $0.message.extensions?.payloadSize } == [1232, nil])
        }
    }

    @Test("The next server is asked where one fails, is silent or is gone")
    func nextServer() async throws {
        try await StandInNameServer.run {
            [$0.reply([Self.address])]
        } _: { good in
            try await StandInNameServer.run {
                [$0.reply { $0.code = .serverFailure }]
            } _: { failing in
                try await StandInNameServer.run { _ in
                    []
                } _: { silent in
                    // Nobody listens on port 1 of the loopback interface.
                    let gone = DNSServer(IPAddress("127.0.0.1")!, port: 1)
                    let client = Self.client(gone, failing.address, silent.address, good.address, timeLimit: .milliseconds(200))
                    let answer = try await client.records(.a, of: Self.name)
                    #expect(answer.existence == .found)
                }
            }
        }
    }

    @Test("What a failing server says counts more than that another is silent, and why it fails is told")
    func errors() async throws {
        let failing: StandInNameServer.Answer = { query in
            let reply = query.reply {
                $0.code = .serverFailure
                $0.extensions = DNSExtensions()
                $0.extensions?.errors = [DNSExtendedError(code: 7, text: "expired\u{1B}[31m")]
            }
            return [reply]
        }
        try await StandInNameServer.run(failing) { server in
            let gone = DNSServer(IPAddress("127.0.0.1")!, port: 1)
            do throws(DNSError) {
                _ = try await Self.client(server.address, gone).records(.a, of: Self.name)
                Issue.record("it did not fail")
            } catch {
                #expect(error.reason == .serverFailure && error.extended.first?.isSecurityFailure == true)
                #expect(
                    error.description == "A of app.example from \(server.address): SERVFAIL (signature expired: expired[31m)",
                    "no control character gets to a terminal")
            }
        }
    }

    @Test("A server that nobody runs is unreachable, none at all too")
    func unreachable() async throws {
        await #expect { try await Self.client(DNSServer(IPAddress("127.0.0.1")!, port: 1)).records(.a, of: Self.name) } throws: {
            ($0 as? DNSError)?.reason == .unreachable
        }
        await #expect { try await Self.client().records(.a, of: Self.name) } throws: { ($0 as? DNSError)?.reason == .unreachable }
    }

    @Test("Each try has an id and a port of its own")
    func randomness() async throws {
        try await StandInNameServer.run { _ in
            []
        } _: { server in
            _ = try? await Self.client(server.address, timeLimit: .milliseconds(20), attempts: 5).records(.a, of: Self.name)
            #expect(server.seen.count == 5 && Set(server.seen.map(\.message.id)).count > 1)
        }
    }

    @Test("Giving up ends the wait")
    func cancelling() async throws {
        let (asked, continuation) = AsyncStream.makeStream(of: Void.self)
        try await StandInNameServer.run { _ in
            continuation.yield()
            return []
        } _: { server in
            let task = Task { try await Self.client(server.address, timeLimit: .seconds(60)).records(.a, of: Self.name) }
            for await _ in asked.prefix(1) {}
            task.cancel()
            await #expect { try await task.value } throws: { ($0 as? DNSError)?.reason == .cancelled }
        }
    }

    @Test("A zone's own servers are asked without recursion")
    func authoritative() async throws {
        try await StandInNameServer.run {
            [$0.reply([.cname("app.example", "b.example")])]
        } _: { server in
            let answer = try await Self.client(server.address).authoritativeRecords(.a, of: Self.name)
            #expect(answer.aliases == [DNSName("b.example")!] && server.seen.map(\.message.wantsRecursion) == [false])
        }
    }
}
