import GateACME
import GateCore
import GateHTTP
import Testing

@Suite("The order's flow, step by step")
struct OrderFlowTests {
    @Test("one name, from the order to the chain") func straight() throws {
        var script = try FlowScript()
        #expect(script.handle(.begin).description == "newOrder")
        #expect(
            script.answer(FlowScript.order("pending"), status: 201, location: "https://ca.test/order/1").description == "save")
        #expect(script.handle(.saved).description == "read /authz/a.test")
        #expect(script.answer(FlowScript.authorization("a.test", "pending")).description == "save")
        #expect(script.flow.saved?.challenges == ["a.test": .http01])
        #expect(script.handle(.saved).description == "present http-01 a.test")
        #expect(script.handle(.presented).description == "respond /challenge/a.test/http-01")
        var step = script.answer(["status": "processing"])
        #expect(step.description == "wait")
        step = script.wait(step)
        #expect(step.description == "read /authz/a.test")
        step = script.wait(script.answer(FlowScript.authorization("a.test", "pending", challenge: "processing")))
        #expect(step.description == "read /authz/a.test")
        #expect(script.answer(FlowScript.authorization("a.test", "valid", challenge: "valid")).description == "read /order/1")
        #expect(script.answer(FlowScript.order("ready")).description == "finalize /finalize")
        step = script.wait(script.answer(FlowScript.order("processing")))
        #expect(step.description == "read /order/1")
        #expect(script.answer(FlowScript.order("valid")).description == "download /certificate")
    }

    @Test(
        "what each status of a new order leads to",
        arguments: [
            ("pending", "read /authz/a.test"), ("ready", "finalize /finalize"), ("processing", "wait"), ("valid", "download /certificate"),
            ("invalid", "read /authz/a.test"),
        ]) func newOrderStatuses(status: String, next: String) throws
    {
        var script = try FlowScript()
        _ = script.handle(.begin)
        _ = script.answer(FlowScript.order(status), status: 201, location: "https://ca.test/order/1")
        #expect(script.handle(.saved).description == next)
    }

    @Test(
        "what each status of an authorization leads to",
        arguments: [
            ("pending", "save"), ("valid", "read /order/1"), ("invalid", "fail notProven"), ("deactivated", "fail notProven"),
            ("expired", "fail notProven"), ("revoked", "fail notProven"),
        ]) func authorizationStatuses(status: String, next: String) throws
    {
        var script = try FlowScript()
        _ = script.ordered()
        #expect(script.answer(FlowScript.authorization("a.test", status)).description == next)
    }

    @Test(
        "what each status of a challenge leads to, after a restart",
        arguments: [("pending", "respond /challenge/a.test/tls-alpn-01"), ("processing", "wait"), ("valid", "wait")])
    func challengeStatuses(status: String, next: String) throws {
        let saved = SavedOrder(
            directory: FlowScript.directoryURL.description, url: "https://ca.test/order/1", names: ["a.test"], key: Secret("key"),
            challenges: ["a.test": .tlsALPN01])
        var script = try FlowScript(resume: saved)
        #expect(script.handle(.begin).description == "save")
        #expect(script.handle(.saved).description == "read /order/1")
        #expect(script.answer(FlowScript.order("pending")).description == "read /authz/a.test")
        _ = script.answer(FlowScript.authorization("a.test", "pending", challenge: status, begun: "tls-alpn-01"))
        // The authority may look again: what was presented before must be there again.
        #expect(script.handle(.saved).description == "present tls-alpn-01 a.test")
        #expect(script.handle(.presented).description == next)
    }

    @Test("several names: every one is presented and told, and those proven before are left alone") func severalNames() throws {
        let names = ["a.test", "b.test", "c.test"]
        var script = try FlowScript(names: names)
        #expect(script.ordered(names: names).description == "read /authz/a.test")
        #expect(script.answer(FlowScript.authorization("a.test", "pending")).description == "read /authz/b.test")
        #expect(script.answer(FlowScript.authorization("b.test", "valid")).description == "read /authz/c.test")
        #expect(script.answer(FlowScript.authorization("c.test", "pending")).description == "save")
        #expect(script.handle(.saved).description == "present http-01 a.test")
        _ = script.handle(.presented)
        #expect(script.answer(["status": "processing"]).description == "present http-01 c.test")
        _ = script.handle(.presented)
        var step = script.wait(script.answer(["status": "processing"]))
        #expect(step.description == "read /authz/a.test")
        #expect(script.answer(FlowScript.authorization("a.test", "valid")).description == "read /authz/c.test")
        step = script.wait(script.answer(FlowScript.authorization("c.test", "pending", challenge: "processing")))
        #expect(step.description == "read /authz/c.test")
    }

    @Test("CHECKLIST 39: each name's problem is gathered, and what is left open is deactivated") func gathersProblems() throws {
        let names = ["a.test", "b.test", "c.test"]
        var script = try FlowScript(names: names)
        var step = script.wait(script.responded(names: names))
        _ = script.answer(
            FlowScript.authorization(
                "a.test", "invalid", challenge: "invalid", problem: FlowScript.problem("connection", detail: "timed out")))
        _ = script.answer(
            FlowScript.authorization("b.test", "invalid", challenge: "invalid", problem: FlowScript.problem("dns", detail: "NXDOMAIN")))
        step = script.answer(FlowScript.authorization("c.test", "pending", challenge: "processing"))
        // The others may settle still, but not for ever.
        var rounds = 0
        while case .wait = step {
            rounds += 1
            #expect(script.wait(step).description == "read /authz/c.test")
            step = script.answer(FlowScript.authorization("c.test", "pending", challenge: "processing"))
        }
        #expect((1...10).contains(rounds))
        #expect(step.description == "deactivate /authz/c.test")
        let failure = try #require(script.answer(FlowScript.authorization("c.test", "deactivated")).failure)
        #expect(failure.authorizations.map(\.name) == ["a.test", "b.test"])
        #expect(failure.authorizations.map { $0.problem?.kind } == ["connection", "dns"])
        #expect(failure.sentence.contains("a.test") && failure.sentence.contains("timed out") && failure.sentence.contains("port 80"))
        #expect(failure.sentence.contains("b.test") && failure.sentence.contains("NXDOMAIN"))
        #expect(failure.countsAgainstLimits && failure.isWorthRetrying && !failure.keepsOrder)
        // The kind that failed is remembered, where another kind could do better.
        #expect(failure.challengeMemory.choose(from: [.http01, .tlsALPN01], for: "a.test") == .tlsALPN01)
        #expect(failure.challengeMemory.choose(from: [.http01, .tlsALPN01], for: "b.test") == .http01)
    }

    @Test("a challenge that failed is a failure, though the authorization says pending still") func failedChallenge() throws {
        var script = try FlowScript()
        _ = script.wait(script.responded())
        let failure = try #require(
            script.answer(
                FlowScript.authorization("a.test", "pending", challenge: "invalid", problem: FlowScript.problem("connection"))
            ).failure)
        #expect(failure.problem?.kind == "connection")
        #expect(failure.challengeMemory.choose(from: [.http01, .tlsALPN01], for: "a.test") == .tlsALPN01)
    }

    @Test("an order that turned invalid in our absence tells why") func invalidOnResume() throws {
        let saved = SavedOrder(
            directory: FlowScript.directoryURL.description, url: "https://ca.test/order/1", names: ["a.test"], key: Secret("key"))
        var script = try FlowScript(resume: saved)
        _ = script.handle(.begin)
        _ = script.handle(.saved)
        #expect(script.answer(FlowScript.order("invalid")).description == "read /authz/a.test")
        let failure = try #require(
            script.answer(
                FlowScript.authorization(
                    "a.test", "invalid", challenge: "invalid", problem: FlowScript.problem("unauthorized"))
            ).failure)
        #expect(failure.problem?.kind == "unauthorized")
        #expect(!failure.keepsOrder)
        #expect(failure.sentence.contains("while this server was not running"))
        // Which says nothing of the kind of challenge.
        #expect(failure.challengeMemory == ChallengeMemory())
    }

    @Test("an order that is invalid by its own error, with sound authorizations") func invalidByItself() throws {
        var script = try FlowScript()
        _ = script.ordered()
        _ = script.answer(FlowScript.authorization("a.test", "valid"))
        _ = script.answer(FlowScript.order("ready"))
        _ = script.answer(FlowScript.order("invalid", error: FlowScript.problem("caa")))
        let failure = try #require(script.answer(FlowScript.authorization("a.test", "valid")).failure)
        #expect(failure.problem?.kind == "caa")
        #expect(failure.sentence.contains("CAA"))
        #expect(failure.countsAgainstLimits)
    }

    @Test("another kind of challenge is tried by the next order, and the oldest failure comes round again") func challengeMemory() throws {
        var memory = ChallengeMemory()
        #expect(memory.choose(from: [.http01, .tlsALPN01], for: "a.test") == .http01)
        memory.recordFailure(of: .http01, for: "a.test")
        var script = try FlowScript(memory: ChallengeMemory(json: memory.json))
        _ = script.ordered()
        _ = script.answer(FlowScript.authorization("a.test", "pending"))
        #expect(script.handle(.saved).description == "present tls-alpn-01 a.test")
        memory.recordFailure(of: .tlsALPN01, for: "a.test")
        #expect(memory.choose(from: [.http01, .tlsALPN01], for: "a.test") == .http01)
        #expect(memory.choose(from: [.http01], for: "b.test") == .http01)
        memory.recordSuccess(for: "a.test")
        #expect(memory == ChallengeMemory())
    }

    @Test("an authority that offers nothing that this server can answer") func unanswerable() throws {
        var script = try FlowScript()
        _ = script.ordered()
        #expect(
            script.answer(FlowScript.authorization("a.test", "pending", types: ["dns-01"])).description == "deactivate /authz/a.test")
        let failure = try #require(script.answer(.null).failure)
        #expect(failure.sentence.contains("dns-01") && !failure.isWorthRetrying)
    }

    @Test("plans that no authority can serve are refused before anything is sent") func plans() throws {
        for (names, challenges, word) in [
            ([], [ChallengeKind.http01], "No names"), (["*.a.test"], [.http01], "*.a.test"), (["a.test"], [], "port 80"),
        ] as [([String], [ChallengeKind], String)] {
            var script = try FlowScript(names: names, challenges: challenges)
            let failure = try #require(script.handle(.begin).failure)
            #expect(failure.sentence.contains(word) && !failure.isWorthRetrying)
        }
    }

    @Test("a challenge that cannot be presented gives the authorizations back") func notPresented() throws {
        var script = try FlowScript()
        _ = script.ordered()
        _ = script.answer(FlowScript.authorization("a.test", "pending"))
        _ = script.handle(.saved)
        #expect(script.handle(.notPresented(reason: "no listener")).description == "deactivate /authz/a.test")
        let failure = try #require(script.answer(.null).failure)
        #expect(failure.sentence.contains("no listener") && !failure.countsAgainstLimits)
    }
}
