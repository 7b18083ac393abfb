package import GateAPI
package import GateCore
package import GateCrypto

extension CertificateReport {
    /// What a certificate says of itself.
    package init(of leaf: Certificate, source: Source, at now: Timestamp, nextAction: String, nextActionAt: Timestamp? = nil) {
        self.init(
            names: leaf.names.map(\.description), source: source, status: leaf.status(at: now), issuer: leaf.issuer,
            notBefore: leaf.notBefore, notAfter: leaf.notAfter, fingerprint: Hex.encode(leaf.fingerprint), nextAction: nextAction,
            nextActionAt: nextActionAt)
    }
}

extension Certificate {
    /// A certificate that should have been renewed long ago: authorities and tools renew with a third of the time left.
    func status(at now: Timestamp) -> CertificateReport.Status {
        if now > notAfter { return .expired }
        return notAfter - now < min(.seconds(14 * 86_400), lifetime / 4) ? .expiring : .valid
    }
}
