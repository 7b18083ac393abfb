package import GateCore
import GateCrypto

/// Has certificates and keeps them: orders, renews, stores and installs, one order at a time.
///
/// Each certificate's own life is a ``CertificateLife``; here are the clocks, the disk and the authorities.
package actor CertificateLifecycle {
    let authorities: [ConfiguredAuthority]
    let store: CertificateStore
    let installer: any CertificateInstalling
    let time: any TimeSource
    let entropy: any Entropy
    private let sleep: @Sendable (Duration) async throws -> Void
    let observe: @Sendable (CertificateEvent) -> Void

    let managed: [ManagedCertificate]
    var lives: [CertificateLife] = []
    /// By the same index: what is served for the names while the certificate itself is not there.
    private var standIns: [StoredCertificate?] = []
    var failures = NameFailures()
    /// Of certificates that are not configured now.
    private var otherHistories: [JSON.Member] = []
    /// Which order is under way.
    var ordering: Int?
    /// Obtained, and not yet on disk, by index; and when the operator is told again.
    private var unsaved: [Int: MonotonicInstant] = [:]
    private var sleeper: Task<Void, Never>?
    /// The last one that something was done for: the others come first.
    private var turn = 0

    /// - Parameters:
    ///   - authority: is asked first; the `fallbacks` take turns with it after failures.
    ///   - sleep: how a while passes; it returns early or throws where the task is cancelled.
    ///   - observe: is told what happens; must not block.
    package init(
        certificates: [ManagedCertificate], authority: ConfiguredAuthority, fallbacks: [ConfiguredAuthority] = [], store: CertificateStore,
        installer: any CertificateInstalling, time: any TimeSource, entropy: any Entropy,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        observe: @escaping @Sendable (CertificateEvent) -> Void
    ) {
        managed = certificates
        authorities = [authority] + fallbacks
        self.store = store
        self.installer = installer
        self.time = time
        self.entropy = entropy
        self.sleep = sleep
        self.observe = observe
    }

    // MARK: At the start

    /// Reads what is stored and installs it. To be called once, before the server listens: nothing is asked of the network.
    package func open() async {
        let now = Moment(time)
        do throws(StoreFailure) { try store.open() } catch { observe(.unreadable(path: error.path, reason: error.description)) }
        let history = taking(store.history(at: now.wall)) ?? [:]
        failures = NameFailures(json: history["failures"] ?? .null, at: now)
        let ids = Set(managed.map(\.id))
        // More than anyone configures; not without end.
        otherHistories = (history["certificates"]?.members ?? []).filter { !ids.contains($0.name) }.suffix(100)
        let known = authorities.map { CertificateLife.Authority(directory: $0.directory, hasRehearsal: $0.rehearsal != nil) }
        for certificate in managed {
            let past = history["certificates"]?[certificate.id].map { AttemptHistory(json: $0, at: now, draw: draw()) }
            let held = taking(store.certificate(certificate.id, draw: draw(), at: now.wall))
            lives.append(CertificateLife(certificate, authorities: known, held: held, history: past ?? AttemptHistory(), at: now))
        }
        standIns = lives.map { $0.held == nil ? standIn(for: $0.managed, at: now.wall) : nil }
        for served in lives.indices.compactMap({ lives[$0].held ?? standIns[$0] }) { tellServed(served) }
        await install()
    }

    /// After the names were changed: of what was had for other names, the one that covers most of these, and of those the youngest.
    private func standIn(for certificate: ManagedCertificate, at now: Timestamp) -> StoredCertificate? {
        let names = certificate.names.compactMap { try? CertificateName($0) }
        let candidates = store.certificateIDs.compactMap { taking(store.certificate($0, draw: 0, at: now)) }
            .map { (stored: $0, covered: names.count(where: $0.pair.leaf.covers)) }
            .filter { $0.covered > 0 && $0.stored.pair.leaf.isValid(at: now) }
        return candidates.max { ($0.covered, $0.stored.pair.leaf.notAfter) < ($1.covered, $1.stored.pair.leaf.notAfter) }?.stored
    }

    func taking<Value>(_ loaded: CertificateStore.Loaded<Value>) -> Value? {
        if let event = loaded.event { observe(event) }
        return loaded.value
    }

    // MARK: While it runs

    /// Until the task is cancelled.
    package func run() async {
        while !Task.isCancelled { await pass(await settle()) }
    }

    /// Does all that is due.
    ///
    /// - Returns: how long nothing is.
    func settle() async -> Duration {
        while !Task.isCancelled {
            let now = Moment(time)
            saveWhatIsNot()
            for index in lives.indices { for event in lives[index].warnings(at: now) { observe(event) } }
            if let wait = await actOnce(at: now) { return unsaved.isEmpty ? wait : min(wait, .seconds(60)) }
        }
        return .zero
    }

    /// Does the first thing that is due.
    ///
    /// - Returns: how long nothing is due; `nil` where something was done.
    private func actOnce(at now: Moment) async -> Duration? {
        var wake = now.monotonic + CertificateLife.longestWait
        for offset in lives.indices {
            let index = (turn + offset) % lives.count
            switch lives[index].next(at: now, failures: failures) {
            case .wait(let until): wake = min(wake, until)
            case .askRenewalInfo(let directory, let id):
                turn = index + 1
                await inquire(index, directory: directory, certificateID: id)
                return nil
            case .attempt(let attempt):
                turn = index + 1
                await self.attempt(index, attempt)
                return nil
            }
        }
        return wake.since(now.monotonic)
    }

    /// Lets time pass, unless somebody rings.
    private func pass(_ duration: Duration) async {
        let task = Task { [sleep] in _ = try? await sleep(duration) }
        sleeper = task
        await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        sleeper = nil
    }

    private func inquire(_ index: Int, directory: String, certificateID: String) async {
        guard let authority = authorities.first(where: { $0.directory == directory })?.production else { return }
        do throws(ACMEFailure) {
            let info = try await authority.renewalInfo(for: certificateID)
            if let event = lives[index].learned(info, at: Moment(time)) { observe(event) }
        } catch {
            if error.isCancellation { return }
            observe(lives[index].didNotLearn(error, at: Moment(time)))
        }
    }

    // MARK: What is held

    /// - Parameter index: whose certificate has come.
    func take(_ certificate: StoredCertificate, memory: ChallengeMemory, for index: Int) async {
        lives[index].succeeded(certificate, memory: memory, at: Moment(time))
        standIns[index] = nil
        unsaved[index] = time.monotonic()
        saveWhatIsNot()
        tellServed(certificate)
        await install()
    }

    private func install() async { await installer.install(lives.indices.compactMap { (lives[$0].held ?? standIns[$0])?.pair }) }

    private func tellServed(_ certificate: StoredCertificate) {
        let leaf = certificate.pair.leaf
        observe(.served(names: leaf.names.map(\.description), issuer: leaf.issuer, notAfter: leaf.notAfter))
    }

    /// The order is kept until the certificate is on disk: after a restart it is downloaded again.
    private func saveWhatIsNot() {
        let now = time.monotonic()
        for (index, tellAt) in unsaved {
            guard let held = lives[index].held else { continue }
            do throws(StoreFailure) {
                try store.save(held, id: managed[index].id)
                unsaved[index] = nil
                if let directory = held.directory { store.forgetOrder(managed[index].id, directory: directory) }
            } catch {
                guard tellAt <= now else { continue }
                unsaved[index] = now + .seconds(3600)
                observe(.notSaved(what: "The certificate for \(managed[index].names[0])", reason: error.description))
            }
        }
    }

    func saveHistory() throws(StoreFailure) {
        let now = Moment(time)
        let histories = otherHistories + lives.map { JSON.Member($0.managed.id, $0.history.json(at: now)) }
        try store.saveHistory(["certificates": .object(histories), "failures": failures.json(at: now)])
    }

    /// From 0 up to 1.
    func draw() -> Double { Double(entropy.uint64() >> 11) * 0x1p-53 }

    // MARK: For the operator

    package var statuses: [CertificateStatus] {
        let now = Moment(time)
        return lives.indices.map {
            lives[$0].status(at: now, failures: failures, isOrdering: ordering == $0 || lives[$0].isRequested, standIn: standIns[$0])
        }
    }

    /// Orders now what would be renewed later or is backed off from; the authority's limits stay.
    ///
    /// - Parameter name: of the certificate: any of its names; `nil` for all.
    /// - Returns: one answer for each certificate; none where no certificate has that name.
    package func renew(_ name: String? = nil) -> [RenewalAnswer] {
        let now = Moment(time)
        let answers = lives.indices.filter { name == nil || managed[$0].names.contains(name!.lowercased()) }.map { index in
            if ordering == index { return RenewalAnswer.underWay(names: managed[index].names) }
            lives[index].request()
            let allowance = lives[index].allowance(at: now.monotonic, failures: failures)
            guard allowance.from > now.monotonic else { return .started(names: managed[index].names) }
            lives[index].withdrawRequest()
            return .refused(names: managed[index].names, until: now.wall(of: allowance.from), reason: allowance.reason ?? "")
        }
        sleeper?.cancel()
        return answers
    }
}
