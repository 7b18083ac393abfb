import GateACME
package import GateAPI
package import GateCore
import GateCrypto
import GateHTTP
import Logging
import Synchronization

/// The certificates of this server, wherever they come from. Until ``open()`` they can only be looked at, as they are stored.
package final class ServerCertificates: CertificateOperations {
    enum Keeper: Sendable {
        case selfSigned(SelfSignedFile, HTTPSFront)
        case files(CertificateFiles)
        case authority(CertificateLifecycle)
    }

    private struct State {
        var configuration: Configuration
        /// `nil` until it is served from.
        var keeper: Keeper?
        /// Where certificates are installed; `nil` without TLS.
        var front: HTTPSFront?
        /// To be in force as soon as what runs has come to a stop.
        var next: Configuration?
    }

    let backend: CertificateBackend
    let time: any TimeSource
    let entropy: any Entropy
    let log: Logger
    let observe: @Sendable (CertificateEvent) -> Void
    private let state: Mutex<State>
    /// Rings when there is another configuration.
    private let changes = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

    /// For those who look at the files of this installation.
    package convenience init(_ configuration: Configuration, time: any TimeSource) {
        self.init(
            configuration, .files(configuration), time: time, entropy: SystemEntropy(),
            log: Logger(label: "gatehouse") { _ in SwiftLogNoOpLogHandler() })
    }

    /// - Parameter observe: is told what happens, besides the log. Must not block.
    init(
        _ configuration: Configuration, _ backend: CertificateBackend, time: any TimeSource, entropy: any Entropy, log: Logger,
        observe: @escaping @Sendable (CertificateEvent) -> Void = { _ in }
    ) {
        state = Mutex(State(configuration: configuration))
        self.backend = backend
        self.time = time
        self.entropy = entropy
        self.log = log
        self.observe = { event in
            event.log(to: log)
            observe(event)
        }
    }

    var configuration: Configuration { state.withLock { $0.configuration } }
    private var keeper: Keeper? { state.withLock { $0.keeper } }

    func keep(_ keeper: Keeper, _ front: HTTPSFront) {
        state.withLock {
            $0.keeper = keeper
            $0.front = front
        }
    }

    /// From now on the certificates are those of `next`, whose files are in order; what is served stays until others are there. `tls.mode`
    /// is as it was.
    func replace(_ next: Configuration) {
        let isOther = state.withLock { state in
            guard state.configuration.namesOtherCertificates(than: next), state.keeper != nil else {
                state.configuration = next
                state.next = nil
                return false
            }
            state.next = next
            return true
        }
        if isOther { changes.continuation.yield() }
    }

    /// Orders, renews and reads again, until the task is cancelled.
    func run() async {
        while !Task.isCancelled, let keeper {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { [self] in await run(keeper) }
                group.addTask { [changes] in for await _ in changes.stream { return } }
                await group.next()
                group.cancelAll()
            }
            if !Task.isCancelled { await turnToNext() }
        }
    }

    private func run(_ keeper: Keeper) async {
        switch keeper {
        case .files(let files): await files.run()
        case .authority(let lifecycle): await lifecycle.run()
        case .selfSigned(let file, let front): await run(file, front)
        }
    }

    /// What ran before has stopped, so that nobody else writes to the store.
    private func turnToNext() async {
        let (before, front) = state.withLock { state in
            let before = state.configuration
            if let next = state.next { state.configuration = next }
            state.next = nil
            return (before, state.front)
        }
        guard let front else { return }
        do {
            try await serve(from: front)
        } catch {
            log.error("The certificates of the new configuration cannot be served, those before stay", metadata: ["error": "\(error)"])
            state.withLock { $0.configuration = before }
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
        switch keeper {
        case .selfSigned(let file, _): return [report(file)]
        case .files(let files): return await files.statuses.map { CertificateReport($0, source: .files) }
        case .authority(let lifecycle): return await lifecycle.statuses.map { CertificateReport($0, source: .acme) }
        case nil: return await stored()
        }
    }

    package func renew(_ name: String?, force: Bool) async throws(CertificateOperationError) {
        switch keeper {
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

    /// Of the account with the authority that is asked first; `nil` where there is none.
    func accountURL() async -> String? {
        await CertificateRecords(backend.store).accountURL(configuration.acme.directory.description)
    }

    /// What is stored, or in the files that are named.
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

extension Configuration {
    /// The names that clients are shown certificates for.
    var certifiedNames: [String] { tls.mode == .acme ? acme.domains : ownHosts }

    /// Whether the certificates of `other` are to be had in another way, or for other names.
    fileprivate func namesOtherCertificates(than other: Configuration) -> Bool {
        if tls.mode == .selfSigned { return ownHosts != other.ownHosts }
        return Configuration.keys.contains { key in
            (key.path.hasPrefix("acme.") || key.path == "tls.certificate" || key.path == "tls.key") && !key.isSame(self, other)
        }
    }
}
