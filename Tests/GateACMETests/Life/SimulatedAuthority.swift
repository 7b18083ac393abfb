import GateCore
import GateCrypto
import GateHTTP
import GateTesting
import Synchronization

@testable import GateACME

/// An authority without a network: it issues at once, and fails as it is told to.
final class SimulatedAuthority: CertificateAuthority {
    struct Order: Sendable {
        let at: Timestamp
        let monotonic: MonotonicInstant
        let names: [String]
        let replaces: String?
        let isResumed: Bool
        let account: String?
    }

    enum Answer: Sendable {
        case issue
        case fail(ACMEFailure)
        /// The process dies: nothing after this is written.
        case crash(Step)
    }

    enum Step: CaseIterable, Sendable { case beforeAccount, afterAccount, afterOrder, afterIssuing }

    private struct State {
        var orders: [Order] = []
        var inquiries: [Timestamp] = []
        var contacts: [[String]] = []
        var accounts: [SigningKeyID: String] = [:]
        var refused: Set<[String]> = []
        var openOrders: [String: [String]] = [:]
    }
    typealias SigningKeyID = [UInt8]

    let directoryURL: HTTPURL
    private let time: ManualTime
    private let entropy = SeededEntropy(seed: 7)
    private let start: Moment
    private let state = Mutex(State())
    let lifetime: Duration
    private let answer: @Sendable (_ number: Int, _ now: Timestamp) -> Answer
    private let window: @Sendable (_ certificateID: String, _ now: Timestamp) -> Result<RenewalInfo?, ACMEFailure>
    private let disk: Simulation.Disk?

    /// - Parameters:
    ///   - disk: what goes deaf when the process dies.
    ///   - answer: by the number of the order, from zero.
    init(
        _ directory: String = "https://ca.test/directory", time: ManualTime, lifetime: Duration = .seconds(90 * 86_400),
        disk: Simulation.Disk? = nil, answer: @escaping @Sendable (_ number: Int, _ now: Timestamp) -> Answer = { _, _ in .issue },
        window: @escaping @Sendable (_ certificateID: String, _ now: Timestamp) -> Result<RenewalInfo?, ACMEFailure> = { _, _ in
            .success(nil)
        }
    ) {
        directoryURL = HTTPURL(directory)!
        self.time = time
        start = Moment(time)
        self.lifetime = lifetime
        self.disk = disk
        self.answer = answer
        self.window = window
    }

    /// The authority's clock does not jump.
    private var now: Timestamp { start.wall + time.monotonic().since(start.monotonic) }

    var orders: [Order] { state.withLock { $0.orders } }
    var inquiries: [Timestamp] { state.withLock { $0.inquiries } }
    /// Registered or changed, in turn.
    var contacts: [[String]] { state.withLock { $0.contacts } }
    var accountCount: Int { state.withLock { $0.accounts.count } }

    func obtain(
        _ plan: CertificateRequestPlan, account: ACMEAccount, resume: SavedOrder?,
        save: @escaping @Sendable (ACMERecord) async throws -> Void
    ) async throws(ACMEFailure) -> IssuedCertificate {
        let number = orders.count
        let isResumed = resume.map { order in state.withLock { $0.openOrders[order.url] == plan.names } } ?? false
        let now = Moment(time)
        state.withLock {
            $0.orders.append(
                Order(
                    at: now.wall, monotonic: now.monotonic, names: plan.names, replaces: plan.replaces, isResumed: isResumed,
                    account: account.url))
        }
        let answer = answer(number, self.now)
        if case .fail(let failure) = answer { throw failure }
        if state.withLock({ $0.refused.contains(plan.names) }) { throw .notProven }
        var crashStep: Step?
        if case .crash(let step) = answer { crashStep = step }
        func dies(at step: Step) throws(ACMEFailure) {
            guard crashStep == step else { return }
            disk?.die()
            throw ACMEFailure(.cancelled, "the process is dead")
        }
        try dies(at: .beforeAccount)
        do {
            if account.url == nil {
                var registered = account
                registered.url = state.withLock { state in
                    let known = state.accounts[account.key.material.exposed] ?? "\(directoryURL)/account/\(state.accounts.count)"
                    state.accounts[account.key.material.exposed] = known
                    state.contacts.append(account.contact)
                    return known
                }
                try await save(.account(registered))
            }
            try dies(at: .afterAccount)
            if !isResumed {
                let url = "\(directoryURL)/order/\(number)"
                state.withLock { $0.openOrders[url] = plan.names }
                try await save(.order(SavedOrder(directory: "\(directoryURL)", url: url, names: plan.names, key: plan.key)))
            }
        } catch let failure as ACMEFailure {
            throw failure
        } catch {
            throw ACMEFailure(.local, "not saved: \(error)")
        }
        try dies(at: .afterOrder)
        let names = plan.names.map { try! CertificateName($0) }
        let pair = try! CertifiedKey.selfSigned(for: names, at: self.now, lifetime: lifetime, backdating: .zero, entropy: entropy)
        try dies(at: .afterIssuing)
        return IssuedCertificate(certifiedKey: pair, challengeMemory: plan.challengeMemory)
    }

    /// From now on no certificate for exactly these names.
    func refuse(_ names: [String]) { _ = state.withLock { $0.refused.insert(names) } }

    func renewalInfo(for certificateID: String) async throws(ACMEFailure) -> RenewalInfo? {
        let now = now
        state.withLock { $0.inquiries.append(now) }
        return try window(certificateID, now).get()
    }

    func updateContact(of account: ACMEAccount) async throws(ACMEFailure) {
        state.withLock { $0.contacts.append(account.contact) }
        if account.contact == ["mailto:refused@example.com"] { throw .refused("invalidContact") }
    }
}
