import GateAPI

/// The certificates' health. What fails is logged by whoever tried it.
struct CertificateComponent: HealthComponent {
    let name = "certificate"
    let failure = "Certificate expired"
    let certificates: any CertificateOperations

    func check() async -> ComponentHealth {
        ComponentHealth(status: Self.status(await certificates.certificates()), latency: .zero)
    }

    /// Expired is unhealthy: every client turns away. While the first one is being ordered, or the last one is running out, clients can
    /// still be served by one that is not what it should be: degraded.
    static func status(_ reports: [CertificateReport]) -> ComponentHealth.Status {
        var worst = ComponentHealth.Status.healthy
        for report in reports {
            switch report.status {
            case .expired: return .unhealthy
            case .expiring, .missing: worst = .degraded
            case .valid: if report.lastProblem != nil { worst = .degraded }
            }
        }
        return worst
    }
}
