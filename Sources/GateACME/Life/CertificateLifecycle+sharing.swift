import GateCore
import GateCrypto

/// What other instances on the same store do.
extension CertificateLifecycle {
    /// Takes over what was saved since the last look, by whomever.
    ///
    /// A certificate that cannot be read is looked at again each time; until then it is ``blocked``.
    ///
    /// - Returns: `false` where the history cannot be read: nothing may be done on what is remembered here, and nothing be written.
    func heed() async -> Bool {
        isHeeded = false
        guard let version = try? await records.store.version() else { return false }
        let isNew = version != heeded
        let now = Moment(time)
        var history = JSON.null
        if isNew {
            let loaded = await records.history(at: now.wall)
            history = taking(loaded, of: .history) ?? [:]
            guard !loaded.isBlocked else { return false }
            takeHistory(history, at: now)
        }
        for (index, certificate) in managed.enumerated() where isNew || blocked.contains(index) {
            // What could not be saved yet is younger than what is there.
            if unsaved[index] == nil, let held = await stored(index, at: now.wall) {
                if lives[index].adopt(held, at: now) { await serve(held, for: index) }
            }
            if isNew { lives[index].adopt(history: history["certificates"]?[certificate.id], at: now) }
        }
        heeded = version
        isHeeded = true
        return true
    }

    /// What is stored for a certificate; `nil` also where it cannot be read, which ``blocked`` says then.
    func stored(_ index: Int, at now: Timestamp) async -> StoredCertificate? {
        let id = managed[index].id
        let loaded = await records.certificate(id, draw: draw(), at: now)
        if loaded.isBlocked { blocked.insert(index) } else { blocked.remove(index) }
        return taking(loaded, of: .certificate(id))
    }

    /// Whether another instance is ordering the certificate.
    func isOrderedElsewhere(_ index: Int) -> Bool { isElsewhere && ordering == nil && lives[index].history.isBegun }

    /// An attempt that was begun is another instance's, or its process is gone. Whoever gets the turn knows which.
    func lookAfterInterrupted() async {
        guard lives.contains(where: \.history.isBegun) else { return }
        isElsewhere = await !turn.take { [self] in await settleInterrupted() }
    }

    /// With the turn: whoever has begun is gone.
    private func settleInterrupted() async {
        guard await heed() else { return }
        let begun = lives.indices.filter { lives[$0].history.isBegun }
        guard !begun.isEmpty else { return }
        for index in begun { lives[index].history.interrupt(at: time.monotonic(), draw: draw()) }
        await keepHistory()
    }

    /// What was obtained and is not in the store yet.
    func saveWhatIsNot() async {
        guard !unsaved.isEmpty else { return }
        isElsewhere = await !turn.take { [self] in await saveUnlessOutdated() }
    }

    private func saveUnlessOutdated() async { for index in unsaved.keys.sorted() { await saveUnlessOutdated(index) } }

    /// With the turn: another instance may have had a younger certificate than the one that could not be saved.
    private func saveUnlessOutdated(_ index: Int) async {
        let loaded = await records.certificate(managed[index].id, draw: draw(), at: time.now())
        guard !loaded.isBlocked, let held = lives[index].held else { return }
        if let stored = loaded.value, let obtained = stored.obtainedAt, obtained > held.obtainedAt ?? obtained {
            unsaved[index] = nil
            heeded = nil
        } else {
            await save(index)
        }
    }
}

extension CertificateLife {
    /// - Returns: whether it is another one than before.
    mutating func adopt(_ certificate: StoredCertificate, at now: Moment) -> Bool {
        guard certificate.pair.leaf != held?.pair.leaf || certificate.pair.key != held?.pair.key else { return false }
        takeOver(certificate, at: now)
        return true
    }

    /// - Parameter json: what ``historyJSON(at:)`` has written, here or elsewhere; `nil` where nothing is known of the certificate.
    mutating func adopt(history json: JSON?, at now: Moment) {
        history = json.map { AttemptHistory(json: $0, at: now) } ?? AttemptHistory()
        guard let renewal = json?["renewal"], let id = held?.pair.leaf.renewalIdentifier, renewal["certificate"]?.string == id else {
            return
        }
        schedule?.window = renewal["window"].flatMap { RenewalInfo(json: $0) }
        if let due = renewal["asked_again_at"]?.integer {
            inquiry = RenewalInquiry(
                due: now.instant(of: Timestamp(milliseconds: due), longest: RenewalInquiry.bounds.upperBound))
        }
    }

    /// The history, and what the authority said about renewal.
    func historyJSON(at now: Moment) -> JSON {
        let history = history.json(at: now)
        guard let id = held?.pair.leaf.renewalIdentifier, let due = inquiry.due, due > now.monotonic else { return history }
        let renewal: JSON = [
            "certificate": .string(id), "asked_again_at": .integer(now.wall(of: due).milliseconds),
            "window": schedule?.window?.json ?? .null,
        ]
        return .object((history.members ?? []) + [JSON.Member("renewal", renewal)])
    }
}
