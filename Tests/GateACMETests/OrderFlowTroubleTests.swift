import GateACME
import GateCore
import GateHTTP
import Testing

@Suite("The order's flow, when the authority has troubles or words")
struct OrderFlowTroubleTests {
    private static let lost = OutgoingError(.timedOut, "ca.test did not answer in time")

    @Test(
        "CHECKLIST 39: every problem of the RFC, in words and with its consequence, at the new order",
        arguments: [
            ("rateLimited", 429, true), ("rejectedIdentifier", 400, false), ("externalAccountRequired", 403, false),
            ("userActionRequired", 403, false), ("unauthorized", 403, false), ("malformed", 400, false), ("serverInternal", 500, true),
            ("caa", 403, false), ("invalidContact", 400, false), ("unsupportedContact", 400, false), ("badPublicKey", 400, false),
            ("badSignatureAlgorithm", 400, false), ("unsupportedIdentifier", 400, false), ("invalidProfile", 400, false),
            ("badNonce", 400, true),
            ("somethingNew", 400, true),
        ]) func problems(type: String, status: Int, isWorthRetrying: Bool) throws
    {
        var script = try FlowScript()
        _ = script.handle(.begin)
        let failure = try #require(script.refuse(type, status: status, retryAfter: .seconds(3600)).failure)
        #expect(failure.problem?.kind == type)
        #expect(failure.problem?.status == status)
        #expect(failure.isWorthRetrying == isWorthRetrying)
        #expect(failure.retryAfter == script.now.wall + .seconds(3600))
        #expect(!failure.countsAgainstLimits && !failure.keepsOrder)
        #expect(failure.sentence.contains("said so") && failure.sentence.contains("ca.test"))
    }

    @Test(
        "every problem of a name, in words",
        arguments: [
            ("dns", "A or AAAA record", true), ("connection", "Open port 80", true), ("unauthorized", "is an address of this server", true),
            ("incorrectResponse", "is an address of this server", true), ("tls", "TLS handshake", true),
            ("caa", "CAA 0 issue \"ca.test\"", false),
            ("rejectedIdentifier", "Take a.test out", false), ("rateLimited", "Wait", true), ("other", "gatehouse doctor", true),
        ]) func nameProblems(type: String, words: String, isWorthRetrying: Bool) throws
    {
        var script = try FlowScript()
        _ = script.wait(script.responded())
        let failure = try #require(
            script.answer(FlowScript.authorization("a.test", "invalid", challenge: "invalid", problem: FlowScript.problem(type))).failure)
        #expect(failure.sentence.contains(words), "\(failure.sentence)")
        #expect(failure.isWorthRetrying == isWorthRetrying)
        #expect(failure.countsAgainstLimits)
    }

    @Test("subproblems name the names") func subproblems() throws {
        var script = try FlowScript(names: ["a.test", "b.test"])
        _ = script.handle(.begin)
        let problem: JSON = [
            "type": "urn:ietf:params:acme:error:malformed", "detail": "some are refused",
            "subproblems": [
                [
                    "type": "urn:ietf:params:acme:error:rejectedIdentifier", "detail": "blocked",
                    "identifier": ["type": "dns", "value": "b.test"],
                ]
            ],
        ]
        let failure = try #require(script.answer(problem, status: 400).failure)
        #expect(failure.authorizations.map(\.name) == ["b.test"])
        #expect(failure.sentence.contains("Take b.test out"))
    }

    @Test("an answer to the new order that never came is not asked for twice") func lostNewOrder() throws {
        var script = try FlowScript()
        _ = script.handle(.begin)
        #expect(script.handle(.unanswered(Self.lost)).failure?.keepsOrder == false)
        // Where the request was never sent, it may be.
        script = try FlowScript()
        _ = script.handle(.begin)
        #expect(script.wait(script.handle(.unanswered(OutgoingError(.connectionFailed, "refused")))).description == "newOrder")
    }

    @Test("questions are asked again after a lost answer or a fault of the authority, a bounded number of times") func bounded() throws {
        for isLost in [true, false] {
            var script = try FlowScript()
            var step = script.ordered()
            var asked = 0
            while step.description == "read /authz/a.test" {
                asked += 1
                #expect(asked < 20)
                step = script.wait(isLost ? script.handle(.unanswered(Self.lost)) : script.refuse("serverInternal", status: 503))
            }
            #expect(asked == 6)
            #expect(step.failure?.keepsOrder == true)
            #expect(step.failure?.isWorthRetrying == true)
        }
    }

    @Test("a lost answer to the challenge: told again, and a refusal of that is no failure") func lostRespond() throws {
        var script = try FlowScript()
        _ = script.ordered()
        _ = script.answer(FlowScript.authorization("a.test", "pending"))
        _ = script.handle(.saved)
        _ = script.handle(.presented)
        #expect(script.wait(script.handle(.unanswered(Self.lost))).description == "respond /challenge/a.test/http-01")
        #expect(script.wait(script.refuse("malformed")).description == "read /authz/a.test")
        #expect(script.answer(FlowScript.authorization("a.test", "valid")).description == "read /order/1")
        // But where the challenge is waiting still, the refusal was meant.
        script = try FlowScript()
        _ = script.ordered()
        _ = script.answer(FlowScript.authorization("a.test", "pending"))
        _ = script.handle(.saved)
        _ = script.handle(.presented)
        _ = script.wait(script.refuse("malformed"))
        #expect(script.answer(FlowScript.authorization("a.test", "pending")).failure?.problem?.kind == "malformed")
    }

    @Test("a lost answer to finalize: the order is asked, and finalized again only if it did not move") func lostFinalize() throws {
        for (status, next) in [("ready", "finalize /finalize"), ("processing", "wait"), ("valid", "download /certificate")] {
            var script = try FlowScript()
            _ = script.handle(.begin)
            _ = script.answer(FlowScript.order("ready"), status: 201, location: "https://ca.test/order/1")
            #expect(script.handle(.saved).description == "finalize /finalize")
            #expect(script.wait(script.handle(.unanswered(Self.lost))).description == "read /order/1")
            #expect(script.answer(FlowScript.order(status)).description == next)
        }
    }

    @Test("an order that stays ready is not finalized for ever") func stubbornOrder() throws {
        var script = try FlowScript()
        _ = script.handle(.begin)
        _ = script.answer(FlowScript.order("ready"), status: 201, location: "https://ca.test/order/1")
        var step = script.handle(.saved)
        var finalized = 0
        for _ in 0..<50 where step.failure == nil {
            if step.description == "finalize /finalize" { finalized += 1 }
            step = script.wait(script.answer(FlowScript.order("ready")))
        }
        #expect(finalized == 3)
        #expect(step.failure != nil)
    }

    @Test("badCSR and other refusals of finalize end the order", arguments: ["badCSR", "caa", "unauthorized"]) func badCSR(type: String)
        throws
    {
        var script = try FlowScript()
        _ = script.handle(.begin)
        _ = script.answer(FlowScript.order("ready"), status: 201, location: "https://ca.test/order/1")
        _ = script.handle(.saved)
        let failure = try #require(script.refuse(type).failure)
        #expect(failure.problem?.kind == type && !failure.keepsOrder && !failure.isWorthRetrying)
    }

    @Test("a rate limit in the middle keeps the order, with the time") func rateLimitedLater() throws {
        var script = try FlowScript()
        _ = script.handle(.begin)
        _ = script.answer(FlowScript.order("ready"), status: 201, location: "https://ca.test/order/1")
        _ = script.handle(.saved)
        let failure = try #require(script.refuse("rateLimited", status: 429, retryAfter: .seconds(7200)).failure)
        #expect(failure.keepsOrder)
        #expect(failure.retryAfter == script.now.wall + .seconds(7200))
    }

    @Test("an authority that never finishes is given up at the time limit, and asked no more often than is decent") func deadline() throws {
        for retryAfter: Duration? in [nil, .zero, .seconds(60)] {
            var script = try FlowScript()
            var step = script.wait(script.responded())
            var asked = 0
            while step.failure == nil {
                asked += 1
                step = script.wait(
                    script.answer(
                        FlowScript.authorization("a.test", "pending", challenge: "processing"), retryAfter: retryAfter))
                guard asked < 1000 else { break }
            }
            #expect(step.failure?.keepsOrder == true)
            #expect(asked <= (retryAfter == .seconds(60) ? 15 : 200))
            #expect(script.now.monotonic <= MonotonicInstant(nanoseconds: 900_000_000_000))
        }
    }

    @Test("an order that is never finished is resumed a few times, and then makes room for a new one") func stuckOrder() throws {
        var kept: SavedOrder?
        for attempt in 0..<4 {
            var script = try FlowScript(resume: kept)
            var step = script.handle(.begin)
            if attempt == 0 { _ = script.answer(FlowScript.order("processing"), status: 201, location: "https://ca.test/order/1") }
            #expect((step.description == "save") == (attempt > 0))
            step = script.handle(.saved)
            while step.failure == nil {
                step = script.wait(step.description == "wait" ? step : script.answer(FlowScript.order("processing")))
            }
            kept = try script.flow.saved.map { try #require(SavedOrder(json: $0.json)) }
            #expect(step.failure?.keepsOrder == (attempt < 3), "attempt \(attempt)")
        }
    }

    @Test("a page of somebody in between is not the end of an order, unless it stays") func unreadablePage() throws {
        var script = try FlowScript()
        _ = script.ordered()
        #expect(script.wait(script.answer("<html>")).description == "read /authz/a.test")
        #expect(script.answer(FlowScript.authorization("a.test", "pending")).description == "save")
        script = try FlowScript()
        var step = script.ordered()
        var asked = 0
        while step.failure == nil, asked < 50 {
            asked += 1
            step = script.wait(script.answer("<html>"))
        }
        #expect(asked == 6 && step.failure?.keepsOrder == false)
    }

    @Test("time that has not passed yet is waited for") func earlyTimer() throws {
        var script = try FlowScript()
        let step = script.responded()
        guard case .wait(let until) = step else {
            Issue.record("\(step)")
            return
        }
        guard case .wait(until) = script.handle(.timePassed) else {
            Issue.record("it did not wait")
            return
        }
    }

    @Test(
        "answers that break the protocol end the attempt",
        arguments: [
            FlowScript.order("pending", names: ["b.test"]), FlowScript.order("pending", names: ["a.test", "b.test"]),
            FlowScript.order("later"), ["status": "pending"], [], "text",
        ]) func malformedOrders(answer: JSON) throws
    {
        var script = try FlowScript()
        _ = script.handle(.begin)
        let failure = try #require(script.answer(answer, status: 201, location: "https://ca.test/order/1").failure)
        guard case .unexpectedAnswer = failure.cause else {
            Issue.record("\(failure)")
            return
        }
    }

    @Test("a new order without a Location, and an authorization for a stranger") func strangers() throws {
        var script = try FlowScript()
        _ = script.handle(.begin)
        #expect(script.answer(FlowScript.order("pending"), status: 201).failure?.sentence.contains("Location") == true)
        script = try FlowScript()
        var step = script.ordered()
        for _ in 0..<6 { step = script.wait(script.answer(FlowScript.authorization("evil.test", "valid"))) }
        #expect(step.failure?.sentence.contains("evil.test") == true)
    }

    @Test("an event out of turn ends the flow, and after the end nothing happens") func outOfTurn() throws {
        var script = try FlowScript()
        #expect(script.handle(.presented).failure != nil)
        #expect(script.handle(.begin).failure != nil)
    }
}
