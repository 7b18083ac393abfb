import GateCore
import GateCrypto
import GateTesting
import Testing

@testable import GateACME

@Suite("Crashes and full disks", .timeLimit(.minutes(1)))
struct LifecycleCrashTests {
    let example = try! ManagedCertificate(names: ["example.com"])

    @Test(
        "CHECKLIST 37: a process that dies at any step of an order goes on with it after the restart",
        arguments: SimulatedAuthority.Step.allCases)
    func crash(step: SimulatedAuthority.Step) async throws {
        let simulation = Simulation()
        let disk = simulation.disk
        let authority = SimulatedAuthority(time: simulation.time, disk: disk) { number, _ in number == 0 ? .crash(step) : .issue
        }
        let configured = ConfiguredAuthority(production: authority)
        await simulation.run(for: .minutes(1), [example], configured)
        #expect(simulation.installed.leaves.isEmpty)
        disk.live()
        await simulation.run(for: .minutes(1), [example], configured)
        #expect(simulation.installed.leaves.count == 1)
        #expect(authority.orders.count == 2)
        #expect(authority.orders[1].at <= authority.orders[0].at + .minutes(2), "an interruption is no failure")
        #expect(authority.orders[1].isResumed == (step == .afterOrder || step == .afterIssuing))
        #expect(authority.accountCount == 1)
        #expect(names(simulation, "acme/orders").isEmpty, "a finished order is forgotten")
    }

    private func names(_ simulation: Simulation, _ folder: String) -> [String] {
        FolderContents.names(in: simulation.folder.file(folder))
    }

    @Test("CHECKLIST 37: a server that dies of every order asks no more than one that fails")
    func crashLoop() async {
        let simulation = Simulation()
        let disk = simulation.disk
        let authority = SimulatedAuthority(time: simulation.time, disk: disk) { _, _ in .crash(.afterOrder) }
        for _ in 0..<2000 {
            disk.live()
            await simulation.run(for: .minutes(1), [example], ConfiguredAuthority(production: authority))
        }
        #expect((3...10).contains(authority.orders.count), "\(authority.orders.count)")
        #expect(authority.orders.count { !$0.isResumed } == 1)
    }

    @Test("CHECKLIST 37: whichever write finds the disk full, the pair before stays whole, it is told, and later all is well")
    func diskFull() async throws {
        // The writes of a first order and a renewal, counted without a fault.
        let reference = Simulation()
        await reference.run(for: .days(70), [example], ConfiguredAuthority(production: SimulatedAuthority(time: reference.time)))
        let writes = reference.disk.writes
        #expect((8...20).contains(writes))
        for fault in 0..<writes {
            let simulation = Simulation()
            let authority = SimulatedAuthority(time: simulation.time)
            let configured = ConfiguredAuthority(production: authority)
            simulation.disk.fail { $0 == fault }
            await simulation.run(for: .days(70), [example], configured)
            let leaf = try #require(simulation.installed.leaves.first, "write \(fault)")
            #expect(leaf.isValid(at: simulation.time.now()))
            let told = simulation.events.contains { event in
                switch event.event {
                case .notSaved(_, let reason): reason.contains("make room")
                case .failed(_, let problem, _): problem.sentence.contains("No space left on device")
                default: false
                }
            }
            #expect(told, "write \(fault)")
            #expect(authority.orders.count <= 3)
            let stored = await CertificateRecords(simulation.store).certificate(example.id, draw: 0, at: simulation.time.now())
            #expect(stored.value?.pair.leaf == leaf && stored.event == nil)
        }
    }

    @Test("CHECKLIST 37: a disk that stays full: nothing is ordered that cannot be kept, and an issued certificate is served all the same")
    func diskStaysFull() async throws {
        let simulation = Simulation()
        let authority = SimulatedAuthority(time: simulation.time)
        let configured = ConfiguredAuthority(production: authority)
        await simulation.run(for: .hours(1), [example], configured)
        let old = try #require(simulation.installed.leaves.first)
        simulation.disk.fail { _ in true }
        await simulation.run(for: .days(85), [example], configured)
        #expect(authority.orders.count == 1)
        #expect(simulation.installed.leaves == [old])
        simulation.disk.fail { _ in false }
        await simulation.run(for: .days(2), [example], configured)
        #expect(authority.orders.count == 2)

        // Full from the moment at which the certificate is to be written: the fourth write of a first order.
        let late = Simulation()
        late.disk.fail { $0 >= 4 }
        let lateAuthority = SimulatedAuthority(time: late.time)
        await late.run(for: .hours(5), [example], ConfiguredAuthority(production: lateAuthority))
        let served = try #require(late.installed.leaves.first)
        let told = late.events.count { if case .notSaved(let what, _) = $0.event { what.contains("example.com") } else { false } }
        #expect((5...6).contains(told), "once an hour: \(told)")
        // After a restart the order is still there to be downloaded again.
        late.disk.fail { _ in false }
        await late.run(for: .hours(1), [example], ConfiguredAuthority(production: lateAuthority))
        #expect(lateAuthority.orders.count == 2 && lateAuthority.orders[1].isResumed)
        #expect(late.installed.leaves.first != served)
    }

    @Test(
        "Damaged files are set aside with a clear message, and not fatal",
        arguments: ["certificates", "accounts", "history.json", "orders"])
    func damage(what: String) async throws {
        let simulation = Simulation()
        let disk = simulation.disk
        let authority = SimulatedAuthority(time: simulation.time, disk: disk) { number, _ in
            what == "orders" && number == 0 ? .crash(.afterOrder) : .issue
        }
        let configured = ConfiguredAuthority(production: authority)
        await simulation.run(for: .hours(1), [example], configured)
        disk.live()
        let path = what.hasSuffix(".json") ? "acme/\(what)" : "acme/\(what)/" + (try #require(names(simulation, "acme/\(what)").first))
        simulation.folder.write(path, "-----BEGIN nothing of use \u{0}")
        await simulation.run(for: .days(61), [example], configured)
        #expect(simulation.installed.leaves.first?.isValid(at: simulation.time.now()) == true)
        let aside = simulation.events.compactMap {
            if case .setAside(let path, let to, let reason) = $0.event { (path, to, reason) } else { nil }
        }
        #expect(aside.count == 1)
        let (told, target, reason) = try #require(aside.first)
        #expect(told == simulation.folder.file(path) && target.hasPrefix(told + ".damaged-") && !reason.isEmpty)
        #expect(simulation.folder.read(String(target.dropFirst(simulation.folder.path.count + 1)))?.hasPrefix("-----BEGIN nothing") == true)
    }
}
