import GateACME
package import GateAPI
package import GateCore
import GateCrypto
import Logging
import Synchronization

/// The certificates of this server, wherever they come from. Until ``open()`` they can only be looked at, as they are stored.
package final class ServerCertificates: CertificateOperations {
    enum Keeper: Sendable {
        case selfSigned(SelfSignedFile, HTTPSFront)
        case files(CertificateFiles)
        case authority(CertificateLifecycle)
    }

    let configuration: Configuration
    let time: any TimeSource
    let entropy: any Entropy
    let log: Logger
    let observe: @Sendable (CertificateEvent) -> Void
    /// `nil` until it is served from.
    private let keeper = Mutex<Keeper?>(nil)

    package convenience init(_ configuration: Configuration, time: any TimeSource) {
        self.init(
            configuration, time: time, entropy: SystemEntropy(), log: Logger(label: "gatehouse") { _ in SwiftLogNoOpLogHandler() })
    }

    /// - Parameter observe: is told what happens, besides the log. Must not block.
    init(
        _ configuration: Configuration, time: any TimeSource, entropy: any Entropy, log: Logger,
        observe: @escaping @Sendable (CertificateEvent) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.time = time
        self.entropy = entropy
        self.log = log
        self.observe = { event in
            event.log(to: log)
            observe(event)
        }
    }

    func keep(_ keeper: Keeper) { self.keeper.withLock { $0 = keeper } }

    /// Orders, renews and reads again, until the task is cancelled.
    func run() async {
        switch keeper.withLock({ $0 }) {
        case .files(let files): await files.run()
        case .authority(let lifecycle): await lifecycle.run()
        case .selfSigned(let file, let front): await run(file, front)
        case nil: break
        }
    }

    private func run(_ file: SelfSignedFile, _ front: HTTPSFront) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(86_400))
            if let (certified, _) = try? file.open(at: time.now(), entropy: entropy) { front.install([certified]) }
        }
    }

    // MARK: For the operator

    package func certificates() async -> [CertificateReport] {
        switch keeper.withLock({ $0 }) {
        case .selfSigned(let file, _): return [report(file)]
        case .files(let files): return await files.statuses.map { CertificateReport($0, source: .files) }
        case .authority(let lifecycle): return await lifecycle.statuses.map { CertificateReport($0, source: .acme) }
        case nil: return await stored()
        }
    }

    package func renew(_ name: String?, force: Bool) async throws(CertificateOperationError) {
        switch keeper.withLock({ $0 }) {
        case nil: throw .refused("There is no certificate that could be renewed: tls.mode is \(configuration.tls.mode.rawValue).")
        case .selfSigned: throw .refused("The certificate is self-signed, and made anew by itself.")
        case .files(let files): await files.reload()
        case .authority(let lifecycle): try await renew(name, force: force, lifecycle)
        }
    }

    private func renew(_ name: String?, force: Bool, _ lifecycle: CertificateLifecycle) async throws(CertificateOperationError) {
        let name = name?.lowercased()
        let meant = await lifecycle.statuses.filter { name == nil || $0.names.contains(name!) }
        guard !meant.isEmpty else { throw .unknownName }
        guard let due = meant.first(where: { force || !$0.isGoodForLong }) else {
            throw .refused("Nothing is due: the certificate is renewed by itself. To order another one all the same, use --force.")
        }
        for answer in await lifecycle.renew(name ?? (meant.count == 1 ? due.names.first : nil)) {
            if case .refused(let names, let until, let reason) = answer {
                throw .refused("\(names.joined(separator: ", ")) cannot be ordered before \(until.rfc3339): \(reason).")
            }
        }
    }

    /// What there is in the data folder, or in the files that are named.
    private func stored() async -> [CertificateReport] {
        switch configuration.tls.mode {
        case .off: return []
        case .selfSigned: return (try? selfSignedFile()).map { [report($0)] } ?? []
        case .files:
            let files = certificateFiles(installer: nil)
            try? await files.open()
            return await files.statuses.map { CertificateReport($0, source: .files) }
        case .acme:
            guard let lifecycle = try? lifecycle(installer: nil, client: SilentAuthority.init) else { return [] }
            await lifecycle.open()
            return await lifecycle.statuses.map { CertificateReport($0, source: .acme) }
        }
    }

    private func report(_ file: SelfSignedFile) -> CertificateReport {
        guard let leaf = file.read()?.leaf else {
            return CertificateReport(
                names: [configuration.publicURL.host], source: .selfSigned, status: .missing, nextAction: "make one at the next start")
        }
        return CertificateReport(of: leaf, source: .selfSigned, at: time.now(), nextAction: "make another before it expires")
    }
}

extension CertificateStatus {
    fileprivate var isGoodForLong: Bool { current?.health == .sound && nextAction == .renew && nextActionAt != nil }
}
