import GateCore
import GateCrypto
import GateHTTP

extension CertificateLifecycle {
    /// Orders one certificate, and records what came of it.
    func attempt(_ index: Int, _ attempt: CertificateLife.Attempt) async {
        let authority = authorities[attempt.authority]
        ordering = index
        defer { ordering = nil }
        lives[index].history.begin()
        do throws(StoreFailure) {
            // A server that dies in the middle must find it at its next start. And where nothing can be saved, nothing is ordered.
            try await saveHistory()
        } catch {
            let failure = ACMEFailure(.local, "Nothing was ordered, because it could not be kept: \(error)", challengeMemory: memory(index))
            return await record(failure, index, directory: authority.directory, wasRehearsal: false, isCounted: false)
        }
        if attempt.rehearses, let rehearsal = authority.rehearsal {
            let directory = rehearsal.directoryURL.description
            observe(.ordering(names: managed[index].names, directory: directory, isRehearsal: true))
            do throws(ACMEFailure) {
                let issued = try await obtain(index, at: rehearsal, of: authority, replaces: nil, isRehearsal: true)
                lives[index].history.challengeMemory = issued.challengeMemory
            } catch {
                if error.endsRehearsal { return await record(error, index, directory: directory, wasRehearsal: true) }
            }
        }
        observe(.ordering(names: managed[index].names, directory: authority.directory, isRehearsal: false))
        do throws(ACMEFailure) {
            let issued = try await obtain(index, at: authority.production, of: authority, replaces: attempt.replaces, isRehearsal: false)
            await take(
                StoredCertificate(
                    pair: issued.certifiedKey, names: managed[index].names, directory: authority.directory, obtainedAt: time.now(),
                    draw: draw()),
                memory: issued.challengeMemory, for: index)
            await keepHistory()
        } catch {
            if !error.keepsOrder, !error.isCancellation { await records.forgetOrder(managed[index].id, directory: authority.directory) }
            await record(error, index, directory: authority.directory, wasRehearsal: false)
        }
    }

    private func obtain(
        _ index: Int, at port: any CertificateAuthority, of authority: ConfiguredAuthority, replaces: String?, isRehearsal: Bool
    ) async throws(ACMEFailure) -> IssuedCertificate {
        let directory = port.directoryURL.description
        let certificate = managed[index]
        let account = try await currentContact(
            of: try await account(directory, of: authority, isRehearsal: isRehearsal), authority.contact, at: port)
        let resume = isRehearsal ? nil : taking(await records.order(certificate.id, directory: directory, at: time.now()))
        let plan = CertificateRequestPlan(
            names: certificate.names, key: try key(certificate.keyAlgorithm), challenges: authority.challenges,
            challengeMemory: memory(index),
            profile: authority.profile, replaces: replaces, preferredChain: authority.preferredChain)
        return try await port.obtain(plan, account: account, resume: resume) { [records] record in
            switch record {
            case .account(let account): try await records.save(account, directory: directory)
            case .order(let order): if !isRehearsal { try await records.save(order, id: certificate.id, directory: directory) }
            }
        }
    }

    /// The one that is stored, or a new one that is stored before it is used: a key is never lost to a crash after its registration.
    private func account(_ directory: String, of authority: ConfiguredAuthority, isRehearsal: Bool) async throws(ACMEFailure) -> ACMEAccount
    {
        let external = isRehearsal ? nil : authority.externalAccount
        let loaded = await records.account(directory, externalAccount: external, at: time.now())
        if let account = taking(loaded) { return account }
        guard !loaded.isBlocked else {
            throw ACMEFailure(.local, "Nothing was ordered, because the account cannot be read: see the log for the file and what to do")
        }
        do {
            let account = try ACMEAccount.generate(contact: authority.contact, externalAccount: external, entropy: entropy)
            try await records.save(account, directory: directory)
            return account
        } catch {
            throw ACMEFailure(.local, "Nothing was ordered, because no account could be made: \(error)")
        }
    }

    /// After the configured addresses were changed. What the authority does not take is no reason to be without a certificate.
    private func currentContact(
        of account: ACMEAccount, _ contact: [String], at port: any CertificateAuthority
    ) async throws(ACMEFailure) -> ACMEAccount {
        guard account.contact != contact else { return account }
        var changed = account
        changed.contact = contact
        // It is registered with them.
        guard account.url != nil else { return changed }
        let directory = port.directoryURL.description
        do {
            try await port.updateContact(of: changed)
            try await records.save(changed, directory: directory)
        } catch let failure as ACMEFailure where failure.isCancellation {
            throw failure
        } catch {
            observe(.contactNotChanged(directory: directory, reason: "\(error)"))
        }
        return changed
    }

    private func key(_ algorithm: CertificateKey.Algorithm) throws(ACMEFailure) -> Secret {
        do throws(CertificateError) {
            return try CertificateKey.generate(algorithm, entropy: entropy).pem
        } catch {
            throw ACMEFailure(.local, "Nothing was ordered, because no key could be made: \(error)")
        }
    }

    private func memory(_ index: Int) -> ChallengeMemory { lives[index].history.challengeMemory }

    private func record(_ failure: ACMEFailure, _ index: Int, directory: String, wasRehearsal: Bool, isCounted: Bool = true) async {
        if failure.isCancellation {
            // The server is stopping: that is no failure.
            lives[index].history.abandon()
        } else {
            let now = Moment(time)
            if isCounted { failures.record(managed[index].names, at: now.monotonic) }
            observe(
                lives[index].failed(
                    failure, directory: directory, wasRehearsal: wasRehearsal, at: now, draw: draw(), failures: failures))
        }
        await keepHistory()
    }

    func keepHistory() async {
        do throws(StoreFailure) {
            try await saveHistory()
        } catch  where error.isTakenOver {
            // What is remembered here is not what counts any more.
            heeded = nil
        } catch {
            observe(.notSaved(what: "The history of orders", reason: error.description))
        }
    }
}

extension ACMEFailure {
    var isCancellation: Bool { if case .cancelled = cause { true } else { false } }

    /// Whether what failed at the authority's place for trials would fail in earnest: an outage or limits there say nothing about that.
    fileprivate var endsRehearsal: Bool {
        switch cause {
        case .refused: problem?.kind != "rateLimited"
        case .notProven, .local, .cancelled: true
        case .unreachable, .unexpectedAnswer, .impossiblePlan, .timedOut: false
        }
    }
}
