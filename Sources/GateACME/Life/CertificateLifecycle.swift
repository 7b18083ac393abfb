package import GateCore
import GateCrypto
import Synchronization

/// Has certificates and keeps them: orders, renews, stores and installs, one order at a time.
///
/// Each certificate's own life is a ``CertificateLife``; here are the clocks, the store and the authorities. Where other instances share
/// the store, only the one whose turn it is asks the authorities and saves, after it has read what the others did; all install what is there.
package actor CertificateLifecycle {
    let authorities: [ConfiguredAuthority]
    let records: CertificateRecords
    let turn: any OrderingTurn
    /// How often to look what others have saved; `nil` where there are none.
    let lookInterval: Duration?
    let installer: any CertificateInstalling
    let time: any TimeSource
    let entropy: any Entropy
    private let sleep: @Sendable (Duration) async throws -> Void
    let observe: @Sendable (CertificateEvent) -> Void

    let managed: [ManagedCertificate]
    var lives: [CertificateLife] = []
    /// By the same index: what is served for the names while the certificate itself is not there.
    var standIns: [StoredCertificate?] = []
    var failures = NameFailures()
    /// Of certificates that are not configured now.
    var otherHistories: [JSON.Member] = []
    /// Which order is under way.
    var ordering: Int?
    /// Another instance has the turn.
    var isElsewhere = false
    /// Of the store, when the history was last read; `nil`: to be read again.
    var heeded: Int64?
    /// Whether the last look found out what others did.
    var isHeeded = false
    /// By index: there is a certificate, and it cannot be read. None is ordered, as it would be overwritten.
    var blocked: Set<Int> = []
    /// Told of as unreadable, until they can be read.
    private var toldUnreadable: Set<CertificateRecord> = []
    /// Obtained, and not yet in the store, by index; and when the operator is told again.
    var unsaved: [Int: MonotonicInstant] = [:]
    private let bell = Bell()
    /// Behind the last one that something was done for: the others come first.
    private var next = 0

    /// - Parameters:
    ///   - authority: is asked first; the `fallbacks` take turns with it after failures.
    ///   - lookInterval: how often to look what other instances have saved; `nil` where there are none.
    ///   - sleep: how a while passes; it returns early or throws where the task is cancelled.
    ///   - observe: is told what happens; must not block.
    package init(
        certificates: [ManagedCertificate], authority: ConfiguredAuthority, fallbacks: [ConfiguredAuthority] = [],
        store: any CertificateStore, turn: any OrderingTurn = SoleOrderer(), lookInterval: Duration? = nil,
        installer: any CertificateInstalling, time: any TimeSource, entropy: any Entropy,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        observe: @escaping @Sendable (CertificateEvent) -> Void
    ) {
        managed = certificates
        authorities = [authority] + fallbacks
        records = CertificateRecords(store)
        self.turn = turn
        self.lookInterval = lookInterval
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
        do throws(StoreFailure) {
            try await records.store.open()
            heeded = try await records.store.version()
        } catch {
            observe(.unreadable(path: error.path, reason: error.description))
        }
        let loaded = await records.history(at: now.wall)
        if loaded.isBlocked { heeded = nil }
        let history = taking(loaded, of: .history) ?? [:]
        takeHistory(history, at: now)
        let known = authorities.map { CertificateLife.Authority(directory: $0.directory, hasRehearsal: $0.rehearsal != nil) }
        for (index, certificate) in managed.enumerated() {
            let past = history["certificates"]?[certificate.id].map { AttemptHistory(json: $0, at: now) }
            let held = await stored(index, at: now.wall)
            lives.append(CertificateLife(certificate, authorities: known, held: held, history: past ?? AttemptHistory(), at: now))
            standIns.append(nil)
        }
        for index in lives.indices where lives[index].held == nil { standIns[index] = await standIn(for: managed[index], at: now.wall) }
        for served in lives.indices.compactMap({ lives[$0].held ?? standIns[$0] }) { tellServed(served) }
        await install()
    }

    /// What is told of all certificates together.
    func takeHistory(_ history: JSON, at now: Moment) {
        failures = NameFailures(json: history["failures"] ?? .null, at: now)
        let ids = Set(managed.map(\.id))
        // More than anyone configures; not without end.
        otherHistories = (history["certificates"]?.members ?? []).filter { !ids.contains($0.name) }.suffix(100)
    }

    /// After the names were changed: of what was had for other names, the one that covers most of these, and of those the youngest.
    private func standIn(for certificate: ManagedCertificate, at now: Timestamp) async -> StoredCertificate? {
        let names = certificate.names.compactMap { try? CertificateName($0) }
        var best: (stored: StoredCertificate, covered: Int)?
        for id in (try? await records.store.keys(of: .certificate)) ?? [] {
            let loaded = await records.certificate(id, draw: 0, at: now)
            guard let stored = taking(loaded, of: .certificate(id)), stored.pair.leaf.isValid(at: now) else { continue }
            let covered = names.count(where: stored.pair.leaf.covers)
            guard covered > 0 else { continue }
            guard let known = best, (known.covered, known.stored.pair.leaf.notAfter) >= (covered, stored.pair.leaf.notAfter) else {
                best = (stored, covered)
                continue
            }
        }
        return best?.stored
    }

    func taking<Value>(_ loaded: CertificateRecords.Loaded<Value>) -> Value? {
        if let event = loaded.event { observe(event) }
        return loaded.value
    }

    /// The same of a record that is read again and again: that it cannot be read is told once.
    func taking<Value>(_ loaded: CertificateRecords.Loaded<Value>, of record: CertificateRecord) -> Value? {
        let wasTold = toldUnreadable.contains(record)
        if loaded.isBlocked { toldUnreadable.insert(record) } else { toldUnreadable.remove(record) }
        return loaded.isBlocked && wasTold ? nil : taking(loaded)
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
            _ = await heed()
            await lookAfterInterrupted()
            await saveWhatIsNot()
            let now = Moment(time)
            for index in lives.indices { for event in lives[index].warnings(at: now) { observe(event) } }
            guard var wait = await actOnce(at: now) else { continue }
            if !unsaved.isEmpty || !blocked.isEmpty || !isHeeded { wait = min(wait, .seconds(60)) }
            if let lookInterval { wait = min(wait, isElsewhere ? lookInterval / 2 : lookInterval) }
            return wait
        }
        return .zero
    }

    /// Does the first thing that is due, where it is this instance's turn.
    ///
    /// - Returns: how long nothing is due; `nil` where something was done.
    private func actOnce(at now: Moment) async -> Duration? {
        var wake = now.monotonic + CertificateLife.longestWait
        for offset in lives.indices {
            let index = (next + offset) % lives.count
            if case .wait(let until) = lives[index].next(at: now, failures: failures) {
                wake = min(wake, until)
                continue
            }
            isElsewhere = await !turn.take { [self] in await act(index) }
            guard !isElsewhere, isHeeded else { return CertificateLife.longestWait }
            // It was tried with the turn: what is damaged is set aside then.
            guard !blocked.contains(index) else { continue }
            next = index + 1
            return nil
        }
        return wake.since(now.monotonic)
    }

    /// With the turn: others may have done meanwhile what was due.
    private func act(_ index: Int) async {
        guard await heed(), !blocked.contains(index) else { return }
        switch lives[index].next(at: Moment(time), failures: failures) {
        case .wait: break
        case .askRenewalInfo(let directory, let id): await inquire(index, directory: directory, certificateID: id)
        case .attempt(let attempt): await self.attempt(index, attempt)
        }
    }

    /// Lets time pass, unless somebody rings.
    private func pass(_ duration: Duration) async {
        let task = Task { [sleep] in _ = try? await sleep(duration) }
        bell.wake(task)
        await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        bell.wake(nil)
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
        // So that the others need not ask.
        if lookInterval != nil { await keepHistory() }
    }

    // MARK: What is held

    /// - Parameter index: whose certificate has come.
    func take(_ certificate: StoredCertificate, memory: ChallengeMemory, for index: Int) async {
        lives[index].succeeded(certificate, memory: memory, at: Moment(time))
        unsaved[index] = time.monotonic()
        await save(index)
        await serve(certificate, for: index)
    }

    func serve(_ certificate: StoredCertificate, for index: Int) async {
        standIns[index] = nil
        tellServed(certificate)
        await install()
    }

    private func install() async { await installer.install(lives.indices.compactMap { (lives[$0].held ?? standIns[$0])?.pair }) }

    private func tellServed(_ certificate: StoredCertificate) {
        let leaf = certificate.pair.leaf
        observe(.served(names: leaf.names.map(\.description), issuer: leaf.issuer, notAfter: leaf.notAfter))
    }

    /// The order is kept until the certificate is saved: after a restart it is downloaded again.
    func save(_ index: Int) async {
        guard let held = lives[index].held, let tellAt = unsaved[index] else { return }
        do throws(StoreFailure) {
            try await records.save(held, id: managed[index].id)
            unsaved[index] = nil
            if let directory = held.directory { await records.forgetOrder(managed[index].id, directory: directory) }
        } catch {
            let now = time.monotonic()
            guard tellAt <= now else { return }
            unsaved[index] = now + .seconds(3600)
            observe(.notSaved(what: "The certificate for \(managed[index].names[0])", reason: error.description))
        }
    }

    func saveHistory() async throws(StoreFailure) {
        let now = Moment(time)
        let histories = otherHistories + lives.map { JSON.Member($0.managed.id, $0.historyJSON(at: now)) }
        try await records.saveHistory(["certificates": .object(histories), "failures": failures.json(at: now)])
    }

    /// From 0 up to 1.
    func draw() -> Double { Double(entropy.uint64() >> 11) * 0x1p-53 }

    // MARK: For the operator

    package var statuses: [CertificateStatus] {
        let now = Moment(time)
        return lives.indices.map {
            lives[$0].status(
                at: now, failures: failures, isOrdering: ordering == $0 || lives[$0].isRequested || isOrderedElsewhere($0),
                standIn: standIns[$0])
        }
    }

    /// Orders now what would be renewed later or is backed off from; the authority's limits stay.
    ///
    /// - Parameter name: of the certificate: any of its names; `nil` for all.
    /// - Returns: one answer for each certificate; none where no certificate has that name.
    package func renew(_ name: String? = nil) -> [RenewalAnswer] {
        let now = Moment(time)
        let answers = lives.indices.filter { name == nil || managed[$0].names.contains(name!.lowercased()) }.map { index in
            if ordering == index || isOrderedElsewhere(index) { return RenewalAnswer.underWay(names: managed[index].names) }
            lives[index].request()
            let allowance = lives[index].allowance(at: now.monotonic, failures: failures)
            guard allowance.from > now.monotonic else { return .started(names: managed[index].names) }
            lives[index].withdrawRequest()
            return .refused(names: managed[index].names, until: now.wall(of: allowance.from), reason: allowance.reason ?? "")
        }
        ring()
        return answers
    }

    /// Other instances have saved something, or the operator wants something: to be looked at now.
    package nonisolated func ring() { bell.ring() }
}

/// Wakes who sleeps, and whoever would sleep next.
private final class Bell: Sendable {
    private struct State {
        var sleeper: Task<Void, Never>?
        var isRung = false
    }

    private let state = Mutex(State())

    /// - Parameter sleeper: who sleeps from now on; `nil` for nobody.
    func wake(_ sleeper: Task<Void, Never>?) {
        let isRung = state.withLock { state in
            defer { state = State(sleeper: sleeper, isRung: sleeper == nil && state.isRung) }
            return state.isRung
        }
        if isRung { sleeper?.cancel() }
    }

    func ring() {
        let sleeper = state.withLock { state in
            state.isRung = state.sleeper == nil
            return state.sleeper
        }
        sleeper?.cancel()
    }
}
