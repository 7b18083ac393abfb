import GateAPI

/// The certificates' health. What fails is logged by whoever tried it.
struct CertificateComponent: HealthComponent {
    let name = "certificate"
    let failure = "Certificate expired"
    let certificates: any CertificateOperations

    func check() async -> ComponentHealth {
        ComponentHealth(status: Self.status(await certificates.certificates()), latency: .zero)
    }

    /// With all of them expired it is unhealthy: every client turns away. Where only some have, or the first one is being ordered, or
    /// the last one is running out, there are clients that can still be served: degraded.
    static func status(_ reports: [CertificateReport]) -> ComponentHealth.Status {
        guard !reports.isEmpty else { return .healthy }
        if reports.allSatisfy({ $0.status == .expired }) { return .unhealthy }
        return reports.allSatisfy { $0.status == .valid && $0.lastProblem == nil } ? .healthy : .degraded
    }
}
