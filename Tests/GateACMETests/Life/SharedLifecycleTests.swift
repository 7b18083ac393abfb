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

        func open() {}
        func load(_ record: CertificateRecord) -> Secret? { records[record] }
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
        func setAside(_ record: CertificateRecord, at now: Timestamp) -> (path: String, aside: String) {
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

    init() throws { managed = [try ManagedCertificate(names: ["a.test"]), try ManagedCertificate(names: ["b.test"])] }

    private func instance(_ number: Int, _ authority: SimulatedAuthority) async -> CertificateLifecycle {
        let lifecycle = CertificateLifecycle(
            certificates: managed, authority: ConfiguredAuthority(production: authority), store: common,
            turn: Turn(common: common, instance: number), lookInterval: .seconds(2), installer: installed[number], time: time,
            entropy: SeededEntropy(seed: UInt64(number)), observe: { _ in })
        await lifecycle.open()
        return lifecycle
    }

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
}
