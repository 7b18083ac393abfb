import GateACME
import GateCore
import GateCrypto
import GateHTTP
import GateNet
import Logging

/// How the certificates begin to be served.
extension ServerCertificates {
    /// Reads what there is. Nothing is asked of the network, and nothing is ordered before ``run()``.
    ///
    /// - Returns: `nil` where there is no TLS.
    /// - Throws: `CommandFailure` for what cannot be served.
    func open() async throws -> HTTPSFront? {
        do {
            switch configuration.tls.mode {
            case .off: return nil
            case .selfSigned:
                let front = try HTTPSFront(try selfSigned(), standsIn: true, configuration.tls, log: log)
                log.notice("HTTPS is served with a self-signed certificate, of which browsers warn: tls.mode is self-signed")
                return try await serving(from: front)
            case .files:
                return try await serving(
                    from: try HTTPSFront(try CertificateFiles.load(filePaths[0]), standsIn: false, configuration.tls, log: log))
            case .acme:
                return try await serving(
                    from: try HTTPSFront(try selfSigned(), standsIn: true, configuration.tls, shared: backend.challenges, log: log))
            }
        } catch let failure as StoreFailure {
            throw CommandFailure(.configuration, failure.description)
        } catch let error as CertificateError {
            throw CommandFailure(.configuration, error.description)
        } catch let error as CryptoError {
            throw CommandFailure(.failure, "TLS cannot be set up: \(error)")
        }
    }

    private func serving(from front: HTTPSFront) async throws -> HTTPSFront {
        try await serve(from: front)
        return front
    }

    /// Installs what there is, by the configuration of now.
    func serve(from front: HTTPSFront) async throws {
        switch configuration.tls.mode {
        case .off: break
        case .selfSigned:
            front.install([try selfSigned()])
            keep(.selfSigned(try selfSignedFile(), front), front)
        case .files: try await serveFiles(from: front)
        case .acme: try await serveOrders(from: front)
        }
    }

    // MARK: Self-signed

    func selfSignedFile() throws(CertificateError) -> SelfSignedFile {
        try SelfSignedFile(folder: configuration.dataDirectory, names: configuration.certifiedNames)
    }

    private func selfSigned() throws(CertificateError) -> CertifiedKey {
        let (certified, failure) = try selfSignedFile().open(at: time.now(), entropy: entropy)
        if let failure {
            log.warning("The self-signed certificate could not be kept for the next start", metadata: ["error": "\(failure)"])
        }
        return certified
    }

    // MARK: Files

    func certificateFiles(installer: (any CertificateInstalling)?) -> CertificateFiles {
        CertificateFiles(
            filePaths, installer: installer ?? NobodyInstalling(), time: time, interval: .seconds(1), observe: observe)
    }

    private var filePaths: [CertificateFilePaths] { configuration.tls.filePaths }

    private func serveFiles(from front: HTTPSFront) async throws {
        let files = certificateFiles(installer: front)
        try await files.open()
        keep(.files(files), front)
        let host = configuration.publicURL.host.filter { $0 != "[" && $0 != "]" }
        let served = await files.statuses.flatMap { $0.current?.names ?? [] }
        let parent = host.firstIndex(of: ".").map { "*" + host[$0...] } ?? host
        if !served.contains(host), !served.contains(parent) {
            log.warning(
                "No certificate of tls.certificate is for the host of public_url: clients will refuse it", metadata: ["host": "\(host)"])
        }
    }

    // MARK: An authority

    func lifecycle(
        installer: (any CertificateInstalling)?, client: (HTTPURL) -> any CertificateAuthority
    ) throws(CertificateError) -> CertificateLifecycle {
        let authorities = Authorities(configuration.acme, client: client)
        var certificates: [ManagedCertificate] = []
        for names in configuration.acme.namesOfCertificates {
            certificates.append(try ManagedCertificate(names: names, keyAlgorithm: configuration.acme.keyType.algorithm))
        }
        return CertificateLifecycle(
            certificates: certificates,
            authority: authorities.first, fallbacks: authorities.fallbacks,
            store: backend.store, turn: backend.turn, lookInterval: backend.lookInterval, installer: installer ?? NobodyInstalling(),
            time: time, entropy: entropy, observe: observe)
    }

    private func serveOrders(from front: HTTPSFront) async throws {
        let http = HTTPClient(egress: .any, tls: try trust())
        let lifecycle = try lifecycle(installer: front) { [time, entropy, log] directory in
            ACMEClient(
                directory: directory, http: http, presenting: front, time: time, entropy: entropy,
                userAgent: "gatehouse/\(GatehouseVersion.current)", logger: log)
        }
        await lifecycle.open()
        keep(.authority(lifecycle), front)
        if await lifecycle.statuses.contains(where: { $0.current == nil }) {
            log.notice(
                "There is no certificate yet: HTTPS is served with a self-signed one until it has come",
                metadata: ["names": "\(configuration.acme.domains.joined(separator: " "))"])
        }
    }

    /// Whom to believe that they are the authority.
    private func trust() throws -> TLSClientConfiguration {
        let authorities: [UInt8]?
        do throws(ConfigurationFault) { authorities = try configuration.acme.authorities() } catch {
            throw CommandFailure(.configuration, error.description)
        }
        return try TLSClientConfiguration(authorities: authorities, time: time)
    }
}

/// For those who only look.
private struct NobodyInstalling: CertificateInstalling {
    func install(_ certificates: [CertifiedKey]) {}
}

extension Configuration.ACME {
    fileprivate var namesOfCertificates: [[String]] {
        switch certificates {
        case .perName: domains.map { [$0] }
        case .one: [domains]
        }
    }
}

extension Configuration.ACME.KeyType {
    fileprivate var algorithm: CertificateKey.Algorithm {
        switch self {
        case .p256: .p256
        case .rsa2048: .rsa(2048)
        case .rsa3072: .rsa(3072)
        case .rsa4096: .rsa(4096)
        }
    }
}
