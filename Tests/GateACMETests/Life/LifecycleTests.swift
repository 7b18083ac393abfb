import GateCore
import GateCrypto
import GateTesting
import Testing

@testable import GateACME

/// Years of a server that does nothing but keep its certificates.
@Suite("The life of a certificate", .timeLimit(.minutes(1)))
struct LifecycleTests {
    let simulation = Simulation()
    let example = try! ManagedCertificate(names: ["example.com", "www.example.com"])

    @Test(
        "CHECKLIST 36: whatever the lifetime, it is renewed in time, with replaces, and never expires",
        arguments: [
            (Duration.days(90), Duration.days(730)), (.days(45), .days(730)), (.days(6), .days(180)), (.seconds(90), .hours(3)),
        ] as [(Duration, Duration)])
    func lifetimes(lifetime: Duration, simulated: Duration) async throws {
        let authority = SimulatedAuthority(time: simulation.time, lifetime: lifetime)
        let (time, installed) = (simulation.time, simulation.installed)
        await simulation.run(for: simulated, [example], ConfiguredAuthority(production: authority)) {
            guard let leaf = installed.leaves.first else { return }
            #expect(leaf.isValid(at: time.now()))
        }
        let orders = authority.orders
        let used = lifetime < .days(10) ? lifetime / 2 : lifetime * 2 / 3
        let expected = Int(simulated / used)
        #expect((expected...(expected * 11 / 10 + 1)).contains(orders.count), "\(orders.count) orders, \(expected) expected")
        #expect(orders[0].replaces == nil)
        #expect(orders.dropFirst().allSatisfy { $0.replaces != nil })
        #expect(Set(orders.compactMap(\.replaces)).count == orders.count - 1, "each replaces another")
        for (earlier, later) in zip(orders, orders.dropFirst()) { #expect(later.at - earlier.at <= used + .seconds(2)) }
        #expect(authority.accountCount == 1)
        #expect(!simulation.events.contains { if case .ending = $0.event { true } else { false } })
    }

    @Test("CHECKLIST 36: the authority's window is followed, also when it moves, and its explanation is told")
    func window() async throws {
        let start = simulation.time.now()
        // After ten days the authority finds that it must revoke, and wants the renewal at once.
        let authority = SimulatedAuthority(
            time: simulation.time,
            window: { [first = Once()] id, now in
                let isFirst = first.is(id)
                let moved = isFirst && now >= start + .days(10)
                let begin = moved ? start + .days(10) : (isFirst ? start : start + .days(10)) + .days(60)
                return .success(
                    RenewalInfo(
                        start: begin, end: begin + .hours(moved ? 12 : 48), explanationURL: moved ? "https://ca.test/why" : nil,
                        retryAfter: .hours(4)))
            })
        await simulation.run(for: .days(30), [example], ConfiguredAuthority(production: authority))
        #expect(authority.orders.count == 2)
        let renewed = try #require(authority.orders.last).at
        #expect((start + .days(10)...start + .days(10) + .hours(13)).contains(renewed), "\(renewed.rfc3339)")
        let moves = simulation.events.compactMap { if case .windowMoved(_, _, _, let url) = $0.event { url } else { nil } }
        #expect(moves == ["https://ca.test/why"])
        // Every four hours, as it said.
        #expect((179...183).contains(authority.inquiries.count), "\(authority.inquiries.count)")
    }

    /// Whether it is asked for the same text as the first time.
    final class Once: Sendable {
        private let first = LockedText()
        func `is`(_ text: String) -> Bool { first.firstOr(text) == text }
    }

    @Test(
        "Renewal information is asked for every six hours where the authority doesn't say, within a minute and a day where it does",
        arguments: [
            (nil, 4 * 30), (Duration.seconds(1), 24 * 60 * 30), (.hours(12), 2 * 30), (.days(365), 30),
        ] as [(Duration?, Int)])
    func inquiries(retryAfter: Duration?, expected: Int) async {
        let start = simulation.time.now()
        let authority = SimulatedAuthority(
            time: simulation.time,
            window: { _, _ in .success(RenewalInfo(start: start + .days(60), end: start + .days(61), retryAfter: retryAfter)) })
        await simulation.run(for: .days(30), [example], ConfiguredAuthority(production: authority))
        #expect((expected - 1...expected + 2).contains(authority.inquiries.count), "\(authority.inquiries.count)")
    }

    @Test("Where the authority does not answer about renewal, the last window counts, else a third of the life")
    func inquiriesFail() async {
        let authority = SimulatedAuthority(time: simulation.time, window: { _, _ in .failure(.unreachable) })
        await simulation.run(for: .days(89), [example], ConfiguredAuthority(production: authority))
        #expect(authority.orders.count == 2)
        #expect(authority.inquiries.count < 89 * 4 + 20)
    }

    @Test("Already expired at the start: ordered at once")
    func expired() async {
        let authority = SimulatedAuthority(time: simulation.time)
        let configured = ConfiguredAuthority(production: authority)
        await simulation.run(for: .days(1), [example], configured)
        simulation.time.advance(by: .days(400))
        let restarted = simulation.time.now()
        await simulation.run(for: .minutes(5), [example], configured)
        #expect(authority.orders.count == 2)
        #expect(authority.orders.last?.at == restarted)
    }

    @Test("CHECKLIST 37: account and certificate are found again after reinstalling; the server that starts orders nothing")
    func reuse() async throws {
        let authority = SimulatedAuthority(time: simulation.time)
        let configured = ConfiguredAuthority(production: authority)
        await simulation.run(for: .hours(1), [example], configured)
        let served = try #require(simulation.installed.leaves.first)
        for _ in 0..<20 {
            await simulation.installed.install([])
            await simulation.run(for: .hours(1), [example], configured)
            #expect(simulation.installed.leaves.first == served)
        }
        #expect(authority.orders.count == 1)
        await simulation.run(for: .days(70), [example], configured)
        #expect(authority.orders.count == 2 && authority.accountCount == 1)
        #expect(authority.orders[1].account != nil)
    }

    @Test("After the names were changed, what there is serves until the new certificate comes")
    func namesChanged() async throws {
        let authority = SimulatedAuthority(time: simulation.time) { number, _ in number == 0 ? .issue : .fail(.unreachable) }
        await simulation.run(for: .hours(1), [example], ConfiguredAuthority(production: authority))
        let served = try #require(simulation.installed.leaves.first)
        let more = try ManagedCertificate(names: ["example.com", "new.example.com"])
        let lifecycle = await simulation.run(for: .hours(1), [more], ConfiguredAuthority(production: authority))
        #expect(simulation.installed.leaves == [served])
        let status = try #require(await lifecycle.statuses.first)
        #expect(status.current?.names == ["example.com", "www.example.com"])
        #expect(status.nextAction == .tryAgain && status.problem?.sentence == "ca.test cannot be reached")
    }

    @Test("A changed contact is told to the authority with the next order; one that it refuses costs no certificate")
    func contact() async {
        let authority = SimulatedAuthority(time: simulation.time)
        for (round, address) in ["a", "a", "b", "refused", "c", "c"].enumerated() {
            let configured = ConfiguredAuthority(production: authority, contact: ["mailto:\(address)@example.com"])
            await simulation.run(for: round == 0 ? .hours(1) : .days(61), [example], configured)
            #expect(authority.orders.count == round + 1)
        }
        #expect(authority.contacts.map { $0[0] } == ["a", "b", "refused", "c"].map { "mailto:\($0)@example.com" })
        #expect(authority.accountCount == 1)
        let told = simulation.events.count { if case .contactNotChanged = $0.event { true } else { false } }
        #expect(told == 1)
    }

    @Test("A certificate of a trial is replaced at once when the real authority is configured")
    func goingLive() async {
        let trial = SimulatedAuthority("https://staging.test/directory", time: simulation.time)
        let real = SimulatedAuthority(time: simulation.time)
        await simulation.run(for: .hours(1), [example], ConfiguredAuthority(production: trial))
        await simulation.run(for: .hours(1), [example], ConfiguredAuthority(production: real))
        #expect(trial.orders.count == 1 && real.orders.count == 1)
        #expect(real.orders.first.map { $0.replaces == nil } == true, "another authority's certificate")
    }

    @Test("Several certificates are kept side by side, and one that fails does not hold up the others")
    func several() async throws {
        let authority = SimulatedAuthority(time: simulation.time)
        authority.refuse(["broken.test"])
        let names = try (0..<5).map { try ManagedCertificate(names: ["site\($0).test"]) }
        let broken = try ManagedCertificate(names: ["broken.test"])
        await simulation.run(for: .days(100), [broken] + names, ConfiguredAuthority(production: authority))
        #expect(authority.orders.count { $0.names == broken.names } > 90)
        for certificate in names { #expect(authority.orders.count { $0.names == certificate.names } == 2) }
        #expect(simulation.installed.leaves.count == 5)
    }
}
