import GateACME
import GateCore
import Synchronization

/// What happens to certificates, as metrics tell of it.
final class CertificateMetrics: Sendable {
    private let ends = Mutex<[String: Timestamp]>([:])
    private let failures = Counter()

    func note(_ event: CertificateEvent) {
        switch event {
        case .failed: failures.add()
        case .served(let names, _, let notAfter): ends.withLock { for name in names { $0[name] = notAfter } }
        default: break
        }
    }

    /// - Parameter names: those that are served now, as the configuration has it.
    func register(in metrics: MetricsRegistry, names: @escaping @Sendable () -> [String], time: any TimeSource) {
        metrics.readings(
            .gauge, "gatehouse_certificate_expiry_seconds", "Seconds until the certificate that is served for the name expires."
        ) { [self] in
            names().compactMap { name in
                end(of: name).map {
                    MetricsRegistry.Reading(
                        labels: [(name: "name", value: name)], value: Double(($0 - time.now()).components.seconds))
                }
            }
        }
        let failures = failures
        metrics.counter("gatehouse_certificate_renewal_failures_total", "Orders of certificates that failed.") { Double(failures.value) }
    }

    /// When what is served for the name expires. A wildcard stands for one label.
    private func end(of name: String) -> Timestamp? {
        ends.withLock { ends in
            ends[name] ?? name.firstIndex(of: ".").flatMap { ends["*" + name[$0...]] }
        }
    }
}
