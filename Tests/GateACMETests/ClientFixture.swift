import GateACME
import GateCore
import GateCrypto
import GateHTTP
import GateTesting
import Logging
import Synchronization

/// A client with a stand-in authority, a clock that passes by itself while the client sleeps, and a place where records are kept.
struct ClientFixture: Sendable {
    let time = ManualTime()
    let presented = PresentedRecord()
    let records = Records()
    let log = LogRecorder()
    let entropy = SeededEntropy()
    let account: ACMEAccount
    let certificate: CertifiedKey
    let authority: StandInAuthority

    init(
        names: [String] = ["a.test"], settings: StandInAuthority.Settings = StandInAuthority.Settings(),
        external: ACMEAccount.ExternalAccount? = nil, otherKeys: [SigningKey] = []
    ) throws {
        account = try .generate(contact: ["mailto:admin@a.test"], externalAccount: external, entropy: entropy)
        let certificate = try CertifiedKey.selfSigned(
            for: names.map { try CertificateName($0) }, at: time.now(), entropy: entropy)
        self.certificate = certificate
        let presented = presented
        authority = StandInAuthority(
            keys: [account.key] + otherKeys, settings: settings, chain: { _ in certificate.chain },
            isPresented: { presented.isPresented($0, $1, $2, $3) })
    }

    /// What was saved, as another process would read it.
    final class Records: Sendable {
        private let kept = Mutex<(account: JSON?, order: JSON?, saves: Int)>((nil, nil, 0))

        func save(_ record: ACMERecord) {
            kept.withLock { kept in
                kept.saves += 1
                switch record {
                case .account(let account): kept.account = account.json
                case .order(let order): kept.order = order.json
                }
            }
        }

        var account: ACMEAccount? { kept.withLock { $0.account }.flatMap { ACMEAccount(json: $0) } }
        var order: SavedOrder? { kept.withLock { $0.order }.flatMap { SavedOrder(json: $0) } }
    }

    /// - Parameter http: the authority itself unless said otherwise.
    func client(over http: (any OutgoingHTTP)? = nil, presenting: (any ChallengePresenting)? = nil) -> ACMEClient {
        let time = time
        return ACMEClient(
            directory: StandInAuthority.directory, http: http ?? authority, presenting: presenting ?? presented, time: time,
            entropy: entropy, userAgent: "Gatehouse/test", logger: log.logger, sleep: { time.advance(by: $0) })
    }

    var plan: CertificateRequestPlan { CertificateRequestPlan(names: certificate.leaf.dnsNames, key: certificate.key) }

    /// One attempt, with what earlier attempts saved.
    func obtain(_ change: (inout CertificateRequestPlan) -> Void = { _ in }, client: ACMEClient? = nil) async throws(ACMEFailure)
        -> IssuedCertificate
    {
        var plan = plan
        change(&plan)
        let records = records
        return try await (client ?? self.client()).obtain(
            plan, account: records.account ?? account, resume: records.order, save: { records.save($0) })
    }

    /// The failure of an attempt; `nil` where it brought a certificate.
    func failure(_ change: (inout CertificateRequestPlan) -> Void = { _ in }, client: ACMEClient? = nil) async -> ACMEFailure? {
        do throws(ACMEFailure) {
            _ = try await obtain(change, client: client)
            return nil
        } catch {
            return error
        }
    }
}
