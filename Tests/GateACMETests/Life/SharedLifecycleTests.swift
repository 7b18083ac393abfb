import GateCore
import GateCrypto
import GateTesting
import Synchronization
import Testing

@testable import GateACME

@Suite("Certificates of several instances")
struct SharedLifecycleTests {
    /// What instances share: a store, and whose turn it is.
    private actor Common: CertificateStore {
        private var records: [CertificateRecord: Secret] = [:]
        private var count: Int64 = 0
        private var holder: Int?
        /// As while the database is busy or fails over.
        private var unreadable: Set<CertificateRecord> = []

        func open() {}
        func load(_ record: CertificateRecord) throws(StoreFailure) -> Secret? {
            if unreadable.contains(record) { throw StoreFailure(path: "\(record)", problem: "cannot be read", cure: "wait") }
            return records[record]
        }
        func block(_ records: [CertificateRecord]) { unreadable = Set(records) }
        func save(_ content: Secret, as record: CertificateRecord) {
            records[record] = content
            if record.kind == .certificate || record.kind == .history { count += 1 }
        }
        func add(_ content: Secret, as record: CertificateRecord) -> Bool {
            if records[record] == nil { save(content, as: record) }
            return true
        }
        func remove(_ record: CertificateRecord) { records[record] = nil }
        func keys(of kind: CertificateRecord.Kind) -> [String] { records.keys.filter { $0.kind == kind }.map(\.key).sorted() }
        func setAside(_ record: CertificateRecord, at now: Timestamp) throws(StoreFailure) -> (path: String, aside: String) {
            guard holder != nil else { throw StoreFailure(path: "", problem: "was not moved", cure: "none", isTakenOver: true) }
            records[record] = nil
            return ("", "")
        }
        func version() -> Int64 { count }

        func take(_ instance: Int) -> Bool {
            guard holder == nil || holder == instance else { return false }
            holder = instance
            return true
        }
        func give(_ instance: Int) { if holder == instance { holder = nil } }
        /// The lease of a process that died has ended.
        func end() { holder = nil }
    }

    private struct Turn: OrderingTurn {
        let common: Common
        let instance: Int

        func take(_ body: @escaping @Sendable () async -> Void) async -> Bool {
            guard await common.take(instance) else { return false }
            await body()
            await common.give(instance)
            return true
        }
    }

    private let time = ManualTime()
    private let common = Common()
    private let installed = [Simulation.InstalledCertificates(), .init()]
    private let managed: [ManagedCertificate]
    private let events = LockedList<CertificateEvent>()

    init() throws { managed = [try ManagedCertificate(names: ["a.test"]), try ManagedCertificate(names: ["b.test"])] }

    private func instance(_ number: Int, _ authority: SimulatedAuthority) async -> CertificateLifecycle {
        let lifecycle = CertificateLifecycle(
            certificates: managed, authority: ConfiguredAuthority(production: authority), store: common,
            turn: Turn(common: common, instance: number), lookInterval: .seconds(2), installer: installed[number], time: time,
            entropy: SeededEntropy(seed: UInt64(number)), observe: { [events] in events.append($0) })
        await lifecycle.open()
        return lifecycle
    }

    private var unreadable: Int { events.all.count { if case .unreadable = $0 { true } else { false } } }
    private var setAside: Int { events.all.count { if case .setAside = $0 { true } else { false } } }

    private func leaves(_ number: Int) -> Set<[UInt8]> { Set(installed[number].leaves.map(\.fingerprint)) }

    @Test("CHECKLIST 37: what one has ordered the other takes, with its history, and orders nothing; a renewal goes the same way")
    func orderedOnce() async throws {
        let authority = SimulatedAuthority(time: time)
        let one = await instance(0, authority)
        let other = await instance(1, authority)
        #expect(await one.settle() <= .seconds(2))
        #expect(authority.orders.count == 2 && authority.accountCount == 1)
        _ = await other.settle()
        #expect(authority.orders.count == 2)
        #expect(leaves(0).count == 2 && leaves(0) == leaves(1))
        time.advance(by: .days(61))
        _ = await other.settle()
        #expect(authority.orders.count == 4 && authority.accountCount == 1)
        _ = await one.settle()
        #expect(authority.orders.count == 4 && leaves(0) == leaves(1) && leaves(0).count == 2)
    }

    @Test("CHECKLIST 37: failures are counted together: who was not asked backs off as well")
    func backedOff() async throws {
        let authority = SimulatedAuthority(time: time, answer: { _, _ in .fail(.notProven) })
        let one = await instance(0, authority)
        let other = await instance(1, authority)
        _ = await one.settle()
        #expect(authority.orders.count == 2)
        _ = await other.settle()
        #expect(authority.orders.count == 2)
        #expect(await other.statuses.allSatisfy { $0.problem?.count == 1 && $0.nextAction == .tryAgain })
        time.advance(by: .seconds(70))
        _ = await other.settle()
        #expect(authority.orders.count == 4)
        _ = await one.settle()
        #expect(authority.orders.count == 4)
        #expect(await one.statuses.map(\.problem) == other.statuses.map(\.problem))
    }

    @Test("while one has the turn the other waits, and says who is at work; when that one dies, the other goes on with its order")
    func takenOver() async throws {
        let quiet = SimulatedAuthority(time: time)
        let one = await instance(0, quiet)
        // What a process leaves behind that dies in the middle: the turn, an attempt that was begun, and its order.
        #expect(await common.take(0))
        await common.save(
            Secret(#"{"certificates":{"\#(managed[0].id)":{"is_begun":true}},"failures":{}}"#), as: .history)
        let order = SavedOrder(
            directory: "https://ca.test/directory", url: "https://ca.test/directory/order/9", names: ["a.test"],
            key: try CertificateKey.generate(.p256, entropy: SeededEntropy(seed: 4)).pem)
        await common.save(Secret(order.json.bytes), as: .order(managed[0].id, directory: "https://ca.test/directory"))
        let authority = SimulatedAuthority(time: time)
        let other = await instance(1, authority)
        #expect(await other.settle() <= .seconds(1), "it looks more often")
        #expect(authority.orders.isEmpty)
        #expect(await other.statuses.map(\.nextAction) == [.ordering, .order])
        #expect(await other.renew("a.test") == [.underWay(names: ["a.test"])])
        await common.end()
        _ = await other.settle()
        #expect(authority.orders.count == 2)
        #expect(leaves(1).count == 2)
        _ = await one.settle()
        #expect(quiet.orders.isEmpty && leaves(0) == leaves(1))
    }

    @Test("what the authority said about renewal is known to all, and it is asked once")
    func renewalInformation() async throws {
        let start = time.now()
        let authority = SimulatedAuthority(
            time: time, window: { _, _ in .success(RenewalInfo(start: start + .days(20), end: start + .days(21))) })
        let one = await instance(0, authority)
        let other = await instance(1, authority)
        _ = await one.settle()
        _ = await other.settle()
        let asked = authority.inquiries.count
        #expect(await one.statuses.map(\.nextActionAt) == other.statuses.map(\.nextActionAt))
        time.advance(by: .hours(5))
        _ = await other.settle()
        _ = await one.settle()
        #expect(authority.inquiries.count == asked)
    }

    @Test(
        "CHECKLIST 37: what cannot be read is not taken for nothing: no order, nothing overwritten, told once, and later all is well",
        arguments: [[0], [1], [2], [0, 1, 2]], [false, true])
    func notRead(records: [Int], isBeforeTheStart: Bool) async throws {
        let all = managed.map { CertificateRecord.certificate($0.id) } + [.history]
        let blocked = records.map { all[$0] }
        let isHistoryBlocked = records.contains(2)
        let authority = SimulatedAuthority(time: time)
        let one = await instance(0, authority)
        let early = isBeforeTheStart ? nil : await instance(1, authority)
        _ = await one.settle()
        let history = try #require(await common.load(.history))
        await common.block(blocked)
        let other = if let early { early } else { await instance(1, authority) }
        for _ in 0..<3 { #expect(await other.settle() <= .seconds(2)) }
        #expect(authority.orders.count == 2)
        let isNothingKnown = isHistoryBlocked && !isBeforeTheStart
        #expect(leaves(1).count == (isNothingKnown ? 0 : 2 - records.count { $0 < 2 }))
        #expect(unreadable == (isNothingKnown ? 1 : records.count))
        await common.block([])
        if isHistoryBlocked { #expect(try await common.load(.history) == history) }
        _ = await other.settle()
        #expect(authority.orders.count == 2 && leaves(0) == leaves(1))
    }

    @Test("a certificate that cannot be read does not keep another from being renewed")
    func oneUnreadable() async throws {
        let authority = SimulatedAuthority(time: time)
        let one = await instance(0, authority)
        _ = await one.settle()
        await common.block([.certificate(managed[0].id)])
        time.advance(by: .days(61))
        let other = await instance(1, authority)
        _ = await other.settle()
        #expect(authority.orders.map(\.names) == [["a.test"], ["b.test"], ["b.test"]])
        await common.block([])
        _ = await other.settle()
        #expect(authority.orders.count == 4)
    }

    @Test("what is damaged is set aside by whoever has the turn, and had anew", arguments: [true, false])
    func damaged(isHistory: Bool) async throws {
        let authority = SimulatedAuthority(time: time)
        await common.save(Secret("?"), as: isHistory ? .history : .certificate(managed[0].id))
        let one = await instance(0, authority)
        #expect(authority.orders.isEmpty)
        _ = await one.settle()
        #expect(authority.orders.count == 2 && leaves(0).count == 2)
        #expect(setAside == 1)
    }
}
