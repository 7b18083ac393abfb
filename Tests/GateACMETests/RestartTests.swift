import GateACME
import GateCore
import GateCrypto
import GateHTTP
import GateTesting
import NIOCore
import Synchronization
import Testing

@Suite("An order is resumed, whatever state a restart leaves it in")
struct RestartTests {
    /// Lets so many requests through, and then ends the process as far as the client can tell: before the next request is sent, or after
    /// the authority has acted on it.
    final class Cut: OutgoingHTTP {
        private let authority: StandInAuthority
        private let left: Mutex<Int>
        private let afterwards: Bool
        let cutRequest = Mutex<String?>(nil)

        init(_ authority: StandInAuthority, after count: Int, afterwards: Bool) {
            self.authority = authority
            left = Mutex(count)
            self.afterwards = afterwards
        }

        func send(_ request: OutgoingRequest) async throws(OutgoingError) -> OutgoingResponse {
            let isCut = left.withLock { left in
                left -= 1
                return left < 0
            }
            guard isCut else { return try await authority.send(request) }
            if afterwards { _ = try await authority.send(request) }
            cutRequest.withLock { $0 = $0 ?? String(request.url.target.path) }
            throw OutgoingError(.cancelled, "the process ended")
        }
    }

    @Test("CHECKLIST 37: cut before or after every single request, then resumed: one order", arguments: [false, true])
    func everyRequest(afterwards: Bool) async throws {
        var count = 0
        while true {
            var settings = StandInAuthority.Settings()
            settings.pollsUntilProven = 2
            settings.pollsUntilIssued = 2
            let fixture = try ClientFixture(names: ["a.test", "b.test"], settings: settings)
            let cut = Cut(fixture.authority, after: count, afterwards: afterwards)
            guard let failure = await fixture.failure(client: fixture.client(over: cut)) else { break }
            guard case .cancelled = failure.cause else {
                Issue.record("cut after \(count) requests: \(failure)")
                return
            }
            #expect(failure.keepsOrder == (fixture.records.order != nil))
            #expect(fixture.presented.count == 0, "withdrawn where the attempt is interrupted")
            _ = try await fixture.obtain()
            let path = try #require(cut.cutRequest.withLock { $0 })
            // An order whose answer never came is not known here. The authority gives its account's pending order again, or forgets it.
            let orders = afterwards && path == "/order-new" ? 2 : 1
            #expect(fixture.authority.orderCount == orders, "cut at \(path)")
            #expect(fixture.authority.accountCount == 1)
            #expect(fixture.authority.violations == [], "cut at \(path)")
            count += 1
        }
        #expect(count > 15, "the walk went through the whole order")
    }

    @Test("CHECKLIST 37: cut twice in a row, at every pair of requests") func everyPair() async throws {
        for first in stride(from: 4, to: 18, by: 3) {
            for second in 0..<14 {
                let fixture = try ClientFixture(names: ["a.test"])
                _ = await fixture.failure(client: fixture.client(over: Cut(fixture.authority, after: first, afterwards: true)))
                _ = await fixture.failure(client: fixture.client(over: Cut(fixture.authority, after: second, afterwards: true)))
                _ = try await fixture.obtain()
                #expect(fixture.authority.orderCount == 1, "cut after \(first) and \(second)")
                #expect(fixture.authority.violations == [])
            }
        }
    }

    @Test("the disk refuses: at the account, at the order, at its challenges", arguments: [0, 1, 2]) func diskFull(refused: Int)
        async throws
    {
        struct Full: Error, CustomStringConvertible { let description = "no space left on device" }
        let fixture = try ClientFixture()
        let records = fixture.records
        let saves = Counter()
        do throws(ACMEFailure) {
            _ = try await fixture.client().obtain(fixture.plan, account: fixture.account, resume: nil) { record in
                if saves.next() == refused { throw Full() }
                records.save(record)
            }
            Issue.record("it went through")
        } catch {
            #expect(error.sentence.contains("no space left on device"))
            #expect(!error.countsAgainstLimits)
        }
        #expect(fixture.presented.count == 0)
        _ = try await fixture.obtain()
        #expect(fixture.authority.violations == [])
    }

    @Test("an order that the authority no longer has is ordered again, once") func orderGone() async throws {
        let fixture = try ClientFixture()
        _ = await fixture.failure(client: fixture.client(over: Cut(fixture.authority, after: 6, afterwards: true)))
        #expect(fixture.records.order != nil)
        fixture.authority.change { $0.refusals = [("/order/", 404, "malformed")] }
        _ = try await fixture.obtain()
        #expect(fixture.authority.orderCount == 2)
        #expect(fixture.authority.violations == [])
    }

    @Test("an order for other names, another profile or another authority is passed over") func otherPlan() async throws {
        for change in 0..<3 {
            let fixture = try ClientFixture()
            _ = await fixture.failure(client: fixture.client(over: Cut(fixture.authority, after: 6, afterwards: true)))
            let saved = try #require(fixture.records.order)
            let other = SavedOrder(
                directory: change == 0 ? "https://other.test/directory" : saved.directory, url: saved.url,
                names: change == 1 ? ["b.test"] : saved.names, profile: change == 2 ? "tiny" : nil, key: saved.key)
            let records = fixture.records
            _ = try await fixture.client().obtain(
                fixture.plan, account: try #require(records.account), resume: other, save: { records.save($0) })
            #expect(fixture.authority.orderCount == 2)
        }
    }

    @Test("a saved order reads back as it was written, and nothing else reads as one") func coding() throws {
        let order = SavedOrder(
            directory: "https://a/d", url: "https://a/o", names: ["a.test"], profile: "p", key: Secret("PEM"),
            challenges: ["a.test": .tlsALPN01], resumptions: 2)
        #expect(SavedOrder(json: order.json) == order)
        for text in [
            "{}", "[]", #"{"directory":"d","url":"u","names":[],"key":"k"}"#, #"{"directory":"d","url":"u","names":[1],"key":"k"}"#,
        ] {
            #expect(SavedOrder(json: try JSON(parsing: Array(text.utf8))) == nil)
        }
        let account = try ACMEAccount.generate(contact: ["mailto:a@b.test"], entropy: SeededEntropy())
        #expect(ACMEAccount(json: account.json)?.key.publicJWK == account.key.publicJWK)
        #expect(ACMEAccount(json: ["key": "AAAA"]) == nil)
    }
}

/// Counts from zero.
final class Counter: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
        count.withLock { count in
            defer { count += 1 }
            return count
        }
    }
}
