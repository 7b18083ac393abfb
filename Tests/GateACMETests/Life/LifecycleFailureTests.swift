import GateCore
import GateCrypto
import GateTesting
import Testing

@testable import GateACME

@Suite("Certificates that do not come", .timeLimit(.minutes(1)))
struct LifecycleFailureTests {
    let simulation = Simulation()
    let example = try! ManagedCertificate(names: ["example.com"])

    /// Whether in no window of `duration` there are more than `limit` orders.
    private func most(_ orders: [SimulatedAuthority.Order], within duration: Duration) -> Int {
        orders.map { first in orders.count { $0.monotonic >= first.monotonic && $0.monotonic.since(first.monotonic) < duration } }.max()
            ?? 0
    }

    @Test("CHECKLIST 37: what keeps failing is tried after 1, 10, 100, 1000 minutes, then at most once a day, and under five times an hour")
    func persistent() async {
        let authority = SimulatedAuthority(time: simulation.time) { _, _ in .fail(.refused("malformed")) }
        await simulation.run(for: .days(365), [example], ConfiguredAuthority(production: authority))
        let gaps = zip(authority.orders, authority.orders.dropFirst()).map { $1.monotonic.since($0.monotonic) }
        for (gap, minutes) in zip(gaps, [1, 10, 100, 1000]) { #expect(gap >= .minutes(minutes) && gap <= .minutes(minutes) * 1.1) }
        #expect(gaps.dropFirst(4).allSatisfy { $0 >= .days(1) && $0 <= .days(1) * 1.1 })
        #expect(authority.orders.count >= 330, "it never gives up")
        #expect(most(authority.orders, within: .hours(1)) < 5)
        #expect(most(authority.orders.dropFirst(4).map { $0 }, within: .days(1)) == 1)
    }

    @Test("CHECKLIST 37: restarts every few minutes make it no more")
    func restarts() async {
        let authority = SimulatedAuthority(time: simulation.time) { _, _ in .fail(.notProven) }
        for round in 0..<1500 {
            await simulation.run(for: .minutes(3 + round % 7), [example], ConfiguredAuthority(production: authority))
        }
        // Six days: five on the first, one on each of the others.
        #expect((7...10).contains(authority.orders.count), "\(authority.orders.count)")
        #expect(most(authority.orders, within: .hours(1)) < 5)
    }

    @Test("CHECKLIST 37: an authority that is gone for days costs nothing but attempts: the old certificate stays, the new one comes")
    func gone() async throws {
        let start = simulation.time.now()
        let authority = SimulatedAuthority(time: simulation.time) { _, now in
            (start + .days(50)...start + .days(75)).contains(now) ? .fail(.unreachable) : .issue
        }
        let (time, installed) = (simulation.time, simulation.installed)
        let lifecycle = await simulation.run(for: .days(120), [example], ConfiguredAuthority(production: authority)) {
            if let leaf = installed.leaves.first { #expect(leaf.isValid(at: time.now())) }
        }
        let issued = authority.orders.filter { !(start + .days(50)...start + .days(75)).contains($0.at) }
        #expect(issued.count == 2)
        #expect(try #require(issued.last).at <= start + .days(75) + .days(1) * 1.1)
        let status = try #require(await lifecycle.statuses.first)
        #expect(status.problem == nil && status.current?.health == .sound && status.nextAction == .renew)
        let warned = simulation.events.compactMap { if case .ending(_, let health, _) = $0.event { health } else { nil } }
        #expect((8...12).contains(warned.count) && warned.allSatisfy { $0 == .overdue }, "\(warned)")
    }

    @Test("The operator is warned once a day when it is overdue, and told each worsening")
    func warnings() async {
        let authority = SimulatedAuthority(time: simulation.time) { number, _ in number == 0 ? .issue : .fail(.unreachable) }
        await simulation.run(for: .days(95), [example], ConfiguredAuthority(production: authority))
        let warned = simulation.events.compactMap { if case .ending(_, let health, _) = $0.event { health } else { nil } }
        #expect(warned.count { $0 == .overdue } == 21)
        #expect((3...4).contains(warned.count { $0 == .urgent }))
        #expect((5...6).contains(warned.count { $0 == .expired }))
        #expect(warned == warned.sorted())
        #expect(simulation.installed.leaves.count == 1, "an expired certificate is better than none")
    }

    @Test("CHECKLIST 37: Retry-After is obeyed, across restarts, and cert renew cannot pass it")
    func retryAfter() async throws {
        let start = simulation.time.now()
        let authority = SimulatedAuthority(time: simulation.time) { number, _ in
            number == 0 ? .fail(.refused("rateLimited", retryAfter: start + .days(5))) : .issue
        }
        for _ in 0..<11 {
            let lifecycle = await simulation.run(for: .hours(10), [example], ConfiguredAuthority(production: authority))
            let answers = await lifecycle.renew()
            #expect(answers == [.refused(names: ["example.com"], until: start + .days(5), reason: "the authority asked to wait")])
        }
        #expect(authority.orders.count == 1)
        await simulation.run(for: .hours(11), [example], ConfiguredAuthority(production: authority))
        #expect(authority.orders.count == 2 && authority.orders[1].at == start + .days(5))
    }

    @Test("CHECKLIST 37: after two failures in a row a second authority takes turns, and at once where the first asked to wait")
    func fallback() async {
        let start = simulation.time.now()
        let first = SimulatedAuthority("https://first.test/d", time: simulation.time) { _, _ in .fail(.unreachable) }
        let second = SimulatedAuthority("https://second.test/d", time: simulation.time)
        await simulation.run(
            for: .hours(1), [example], ConfiguredAuthority(production: first), fallbacks: [ConfiguredAuthority(production: second)])
        #expect(first.orders.count == 2 && second.orders.count == 1)
        let limited = Simulation()
        let third = SimulatedAuthority("https://third.test/d", time: limited.time) { _, _ in
            .fail(.refused("rateLimited", retryAfter: start + .days(7)))
        }
        let fourth = SimulatedAuthority("https://fourth.test/d", time: limited.time)
        await limited.run(
            for: .hours(1), [example], ConfiguredAuthority(production: third), fallbacks: [ConfiguredAuthority(production: fourth)])
        #expect(third.orders.count == 1 && fourth.orders.count == 1)
    }

    @Test("A first order that failed is rehearsed before it is tried in earnest again; an outage of the rehearsal does not count")
    func rehearsal() async {
        let time = simulation.time
        let staging = SimulatedAuthority("https://staging.test/d", time: time) { number, _ in
            number < 2 ? .fail(.notProven) : number == 2 ? .fail(.unreachable) : .issue
        }
        let production = SimulatedAuthority(time: time) { number, _ in number < 2 ? .fail(.notProven) : .issue }
        let lifecycle = await simulation.run(for: .days(4), [example], ConfiguredAuthority(production: production, rehearsal: staging))
        // In earnest; twice the rehearsal alone; an outage, so in earnest; a rehearsal that passes, so in earnest.
        #expect(production.orders.count == 3)
        #expect(staging.orders.count == 4)
        #expect(await lifecycle.statuses.first?.current?.directory == "https://ca.test/directory")
        let wasRehearsal = simulation.events.compactMap {
            if case .failed(_, let problem, _) = $0.event { problem.wasRehearsal } else { nil }
        }
        #expect(wasRehearsal == [false, true, true, false])
    }

    @Test(
        "CHECKLIST 37: the clock may jump: no order too many, and none that never comes",
        arguments: [
            Duration.days(365), .days(-365), .days(30), .days(-30), .hours(-2),
        ])
    func clockJumps(by jump: Duration) async throws {
        let authority = SimulatedAuthority(time: simulation.time) { number, _ in number < 4 ? .fail(.notProven) : .issue }
        let jumps = [
            (Duration.minutes(30), jump), (.minutes(90), Duration.zero - jump), (.days(20), jump),
            (.days(20) + .hours(3), Duration.zero - jump),
        ]
        await simulation.run(
            for: .days(80), [example], ConfiguredAuthority(production: authority), jumps: jumps.map { (after: $0.0, by: $0.1) })
        #expect(most(authority.orders, within: .hours(1)) < 5)
        let leaf = try #require(simulation.installed.leaves.first)
        #expect(leaf.isValid(at: simulation.time.now()))
        // Four failures, the first certificate, its renewal; one more where the clock said that it had expired.
        #expect(authority.orders.count <= 7, "\(authority.orders.count)")
    }

    @Test("A clock that is a year ahead for good does not order again and again")
    func wrongClock() async {
        let authority = SimulatedAuthority(
            time: simulation.time, lifetime: .days(-300))
        await simulation.run(for: .days(30), [example], ConfiguredAuthority(production: authority))
        #expect(authority.orders.count <= 31)
    }

    @Test("cert renew orders now, and says why where it may not")
    func renewNow() async throws {
        let authority = SimulatedAuthority(time: simulation.time) { number, _ in number == 0 ? .issue : .fail(.notProven) }
        let configured = ConfiguredAuthority(production: authority)
        let lifecycle = await simulation.run(for: .hours(1), [example], configured)
        #expect(await lifecycle.renew("other.test").isEmpty)
        for round in 1...6 {
            let answers = await lifecycle.renew("example.com")
            if round <= 4 {
                #expect(answers == [.started(names: ["example.com"])])
            } else {
                guard case .refused(_, let until, let reason) = answers.first else {
                    Issue.record("\(answers)")
                    return
                }
                #expect(reason.contains("within an hour") && until <= simulation.time.now() + .hours(1))
            }
            _ = await lifecycle.settle()
        }
        #expect(authority.orders.count == 5)
        #expect(await lifecycle.statuses.first?.problem?.count == 4)
        #expect(simulation.installed.leaves.count == 1, "CHECKLIST 39: a failed renewal keeps the old one")
    }
}
