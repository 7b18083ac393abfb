import GateCore
import GateCrypto

extension CertificateLife {
    /// - Parameter standIn: what is served for the names while the certificate itself is not there.
    func status(at now: Moment, failures: NameFailures, isOrdering: Bool, standIn: StoredCertificate?) -> CertificateStatus {
        let served = held ?? standIn
        let due = dueAt(now.wall)
        let allowance = allowance(at: now.monotonic, failures: failures)
        let allowed = now.wall(of: allowance.from)
        let next = max(due, allowed)
        let action: CertificateStatus.Action =
            isOrdering ? .ordering : history.failures > 0 ? .tryAgain : held == nil ? .order : .renew
        return CertificateStatus(
            names: managed.names, current: served.map { CertificateStatus.Current($0, at: now.wall) }, nextAction: action,
            nextActionAt: isOrdering || next <= now.wall ? nil : next,
            reason: isOrdering ? "the authority is at work" : allowed > due ? allowance.reason ?? "" : dueReason(now.wall),
            problem: history.problem, explanationURL: schedule?.window?.explanationURL)
    }

    private func dueReason(_ now: Timestamp) -> String {
        guard let held, let schedule else { return "there is no certificate yet" }
        if isRequested { return "renewal was asked for" }
        if isForeign, let directory = held.directory {
            return "it comes from an authority that is not configured: \(directory)"
        }
        if schedule.health(at: now) == .expired { return "it has expired" }
        return schedule.window == nil
            ? schedule.lifetime < .seconds(10 * 86_400) ? "half of its life will have passed" : "two thirds of its life will have passed"
            : "the authority suggests this time"
    }
}

extension CertificateStatus.Current {
    init(_ stored: StoredCertificate, at now: Timestamp) {
        self.init(pair: stored.pair, directory: stored.directory, health: stored.schedule.health(at: now))
    }

    init(pair: CertifiedKey, directory: String?, health: CertificateHealth) {
        let leaf = pair.leaf
        self.init(
            issuer: leaf.issuer, directory: directory, names: leaf.names.map(\.description), notBefore: leaf.notBefore,
            notAfter: leaf.notAfter, fingerprint: Hex.encode(leaf.fingerprint), health: health)
    }
}
