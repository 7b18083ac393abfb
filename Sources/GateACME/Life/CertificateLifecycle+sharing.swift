import GateCore
import GateCrypto

/// What other instances on the same store do.
extension CertificateLifecycle {
    /// Takes over what was saved since the last look, by whomever. Nothing where it cannot be read: it is looked at again.
    func heed() async {
        guard let version = try? await records.store.version(), version != heeded else { return }
        let now = Moment(time)
        let loaded = await records.history(at: now.wall)
        guard !loaded.isBlocked else { return }
        let history = taking(loaded) ?? [:]
        takeHistory(history, at: now)
        for (index, certificate) in managed.enumerated() {
            // What could not be saved yet is younger than what is there.
            if unsaved[index] == nil, let held = taking(await records.certificate(certificate.id, draw: draw(), at: now.wall)) {
                if lives[index].adopt(held, at: now) { await serve(held, for: index) }
            }
            lives[index].adopt(history: history["certificates"]?[certificate.id], at: now)
        }
        heeded = version
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
        await heed()
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
