import GateCore
import GateCrypto
import GateHTTP

/// Carries out what an order's flow asks for: the only place where an order meets network, clock and disk.
struct OrderRun {
    let client: ACMEClient
    let directory: DirectoryObject
    var account: ACMEAccount
    var flow: OrderFlow
    let save: @Sendable (ACMERecord) async throws -> Void
    /// To be withdrawn afterwards.
    private(set) var presented: [PresentedChallenge] = []

    init(
        client: ACMEClient, directory: DirectoryObject, account: ACMEAccount, flow: OrderFlow,
        save: @escaping @Sendable (ACMERecord) async throws -> Void
    ) {
        self.client = client
        self.directory = directory
        self.account = account
        self.flow = flow
        self.save = save
    }

    mutating func toTheEnd() async -> Result<IssuedCertificate, ACMEFailure> {
        do throws(ACMEFailure) {
            if account.url == nil { try await register() }
            var effect = flow.handle(.begin, at: Moment(client.time))
            while true {
                let event: OrderFlow.Event
                switch effect {
                case .finish(let chain): return .success(try certificate(chain))
                case .fail(let failure): return .failure(failure)
                case .send(let request): event = try await send(request)
                case .save(let order):
                    try await record(.order(order))
                    event = .saved
                case .register:
                    try await register()
                    event = .registered
                case .present(let challenge): event = await present(challenge)
                case .wait(let until):
                    do {
                        try await client.sleep(until.since(client.time.monotonic()))
                    } catch {
                        throw interrupted
                    }
                    event = .timePassed
                }
                if Task.isCancelled { throw interrupted }
                effect = flow.handle(event, at: Moment(client.time))
            }
        } catch {
            var failure = error
            failure.challengeMemory = flow.challengeMemory
            return .failure(failure)
        }
    }

    private var interrupted: ACMEFailure {
        ACMEFailure(
            .cancelled, "The attempt was interrupted. The next one goes on where it was.", keepsOrder: flow.saved != nil)
    }

    private mutating func register() async throws(ACMEFailure) {
        account.url = nil
        do throws(ACMEFailure) {
            account = try await client.register(account)
        } catch {
            var failure = error
            failure.keepsOrder = flow.saved != nil
            throw failure
        }
        try await record(.account(account))
    }

    private func record(_ record: ACMERecord) async throws(ACMEFailure) {
        do {
            try await save(record)
        } catch {
            throw ACMEFailure(
                .local, "What must be kept of the order could not be saved: \(error).", keepsOrder: flow.saved != nil)
        }
    }

    private func send(_ request: OrderRequest) async throws(ACMEFailure) -> OrderFlow.Event {
        let (url, payload): (HTTPURL, [UInt8]) =
            switch request {
            case .newOrder(let payload): (directory.newOrder, payload.bytes)
            case .read(let url), .download(let url): (url, [])
            case .respond(let url): (url, JSON.object([]).bytes)
            case .finalize(let url): (url, JSON.object([JSON.Member("csr", .string(Base64URL.encode(try certificateRequest())))]).bytes)
            case .deactivate(let url): (url, JSON.object([JSON.Member("status", "deactivated")]).bytes)
            }
        var accept: String?
        if case .download = request { accept = "application/pem-certificate-chain" }
        do throws(AuthoritySession.Failure) {
            return .answered(
                try await client.session.post(
                    payload, to: url, as: .account(account.key, url: account.url ?? ""), newNonce: directory.newNonce, accept: accept))
        } catch {
            switch error {
            case .unanswered(let error) where error.reason == .cancelled: throw interrupted
            case .unanswered(let error): return .unanswered(error)
            case .misanswered(let error): return .misanswered(error)
            case .unsigned(let error):
                throw ACMEFailure(.local, "The account's key cannot be used: \(error)", isWorthRetrying: false)
            }
        }
    }

    /// The certificate request, in DER.
    private func certificateRequest() throws(ACMEFailure) -> [UInt8] {
        do throws(CertificateError) {
            var names: [CertificateName] = []
            for name in flow.plan.names { names.append(try CertificateName(name)) }
            return try CertificateRequest.make(for: names, key: try CertificateKey(pem: flow.saved?.key ?? flow.plan.key))
        } catch {
            throw ACMEFailure(.local, "The certificate request cannot be made: \(error).", isWorthRetrying: false)
        }
    }

    private mutating func present(_ challenge: PendingChallenge) async -> OrderFlow.Event {
        guard let keyAuthorization = KeyAuthorization.text(token: challenge.token, key: account.key) else {
            return .notPresented(reason: "the account's key is not one for ACME")
        }
        do {
            let ready: PresentedChallenge
            switch challenge.kind {
            case .http01: ready = .http01(name: challenge.name, token: challenge.token, keyAuthorization: keyAuthorization)
            case .tlsALPN01:
                let name = try CertificateName(challenge.name)
                ready = .tlsALPN01(
                    name: name, keyAuthorization: keyAuthorization,
                    try .tlsALPN01Challenge(
                        for: name, keyAuthorization: keyAuthorization, at: client.time.now(), entropy: client.entropy))
            }
            presented.append(ready)
            try await client.presenting.present(ready)
            return .presented
        } catch {
            return .notPresented(reason: "\(error)")
        }
    }

    /// What came is what was asked for: the leaf holds the key and every name.
    private func certificate(_ chain: [UInt8]) throws(ACMEFailure) -> IssuedCertificate {
        do throws(CertificateError) {
            let certified = try CertifiedKey(chain: chain, key: flow.saved?.key ?? flow.plan.key)
            for name in flow.plan.names {
                guard certified.leaf.covers(try CertificateName(name)) else {
                    throw CertificateError.keyMismatch(reason: "it is not for \(name)")
                }
            }
            return IssuedCertificate(certifiedKey: certified, challengeMemory: flow.challengeMemory)
        } catch {
            throw .unexpected(client.directoryURL.host, MalformedAnswer("certificate", error.description))
        }
    }
}

extension CertificateName {
    /// How a TLS client names it: an address has no form there but that of reverse DNS (RFC 8738 §6).
    package var serverName: String {
        switch self {
        case .dns(let name): return name
        case .address(let address):
            let bytes = (0..<4).map { "\(address.low >> UInt64(8 * $0) & 255)" }
            if address.isIPv4 { return bytes.joined(separator: ".") + ".in-addr.arpa" }
            let nibbles = [address.low, address.high].flatMap { word in (0..<16).map { UInt8(word >> UInt64(4 * $0) & 15) } }
            return nibbles.map { String($0, radix: 16) }.joined(separator: ".") + ".ip6.arpa"
        }
    }
}
