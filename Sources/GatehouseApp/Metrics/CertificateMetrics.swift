import GateACME
import GateCore
import Synchronization

extension MetricsRegistry {
    /// What happens to certificates, counted; and for each name of the configuration when the certificate that is served for it expires.
    func register(certificatesOf configuration: Configuration, time: any TimeSource) -> @Sendable (CertificateEvent) -> Void {
        guard configuration.tls.mode != .off else { return { _ in } }
        let expiries = CertificateExpiries()
        let names = configuration.tls.mode == .acme ? configuration.acme.domains : [configuration.publicURL.host]
        for name in names {
            gauge(
                "gatehouse_certificate_expiry_seconds", "Seconds until the certificate that is served for the name expires.",
                labels: ["name": name]
            ) { expiries.of(name).map { Double(($0 - time.now()).components.seconds) } }
        }
        let failures = counter("gatehouse_certificate_renewal_failures_total", "Orders of certificates that failed.")
        return { event in
            switch event {
            case .failed: failures.add()
            case .served(let names, _, let notAfter): expiries.note(names, notAfter)
            default: break
            }
        }
    }
}

/// When what is served for each name expires.
private final class CertificateExpiries: Sendable {
    private let ends = Mutex<[String: Timestamp]>([:])

    func note(_ names: [String], _ notAfter: Timestamp) { ends.withLock { for name in names { $0[name] = notAfter } } }

    /// A wildcard stands for one label.
    func of(_ name: String) -> Timestamp? {
        ends.withLock { ends in
            ends[name] ?? name.firstIndex(of: ".").flatMap { ends["*" + name[$0...]] }
        }
    }
}
