import GateCore
import GateCrypto

/// What a port shows clients over TLS: whether they would trust it.
struct PresentedCheck {
    let name: String
    let visit: Visit
    /// `tls.mode`.
    let mode: Configuration.TLS.Mode
    let now: Timestamp

    /// Nothing where no certificate was seen.
    func finding() -> Finding? {
        guard visit.isTLS, let certificate = visit.certificate else { return nil }
        let names = certificate.names.map(\.description)
        let shown = "\(visit.place) presents a certificate for \(names.isEmpty ? "no name" : names.joined(separator: ", "))"
        let issuer = certificate.issuer.map { ", issued by \($0)" } ?? ""
        if let subject = try? CertificateName(name), !certificate.covers(subject) {
            return say(
                .problem, "\(shown), and not for \(name).",
                visit.outcome == .ours
                    ? "The certificate for \(name) has not come yet, or is not configured: see below."
                    : "It is another program's: see above.")
        }
        if now > certificate.notAfter {
            return say(.problem, "\(shown) that has expired on \(certificate.notAfter.rfc3339.prefix(10)).", "See the certificate below.")
        }
        if now < certificate.notBefore {
            return say(.problem, "\(shown) that is not valid before \(certificate.notBefore.rfc3339).", "Set this machine's clock right.")
        }
        if certificate.isSelfSigned {
            return say(
                mode == .selfSigned ? .warning : .problem, "\(shown), which is self-signed: clients turn away.",
                mode == .acme ? "It stands in until the authority's has come: see the certificate below." : nil)
        }
        let until = "valid until \(certificate.notAfter.rfc3339.prefix(10))"
        guard let fault = visit.distrust else { return say(.ok, "\(shown)\(issuer), \(until).") }
        return say(
            .warning, "\(shown)\(issuer), \(until), and clients with this machine's authorities do not trust it: \(fault).",
            "For a public site, the chain must lead to a public authority; for a private one, clients must be given its root.")
    }

    private func say(_ status: Finding.Status, _ seen: String, _ advice: String? = nil) -> Finding {
        Finding("port \(visit.port)", name, status, seen, advice: advice)
    }
}
