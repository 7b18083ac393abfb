import GateAPI
import GateCore
import Testing

@testable import GatehouseApp

@Suite("What is told of certificates' health")
struct CertificateHealthTests {
    private static func report(_ status: CertificateReport.Status, of name: String = "a.test", problem: Bool = false) -> CertificateReport {
        CertificateReport(
            names: [name], source: .acme, status: status, nextAction: "renew",
            lastProblem: problem ? CertificateReport.LastProblem(at: Timestamp(seconds: 0), message: "no") : nil)
    }

    static let outcomes: [(reports: [CertificateReport], status: ComponentHealth.Status)] = [
        ([], .healthy),
        ([report(.valid)], .healthy),
        ([report(.valid, problem: true)], .degraded),
        ([report(.missing)], .degraded),
        ([report(.valid), report(.expiring, of: "b.test")], .degraded),
        ([report(.expired)], .unhealthy),
        ([report(.expired), report(.expired, of: "b.test")], .unhealthy),
        ([report(.valid), report(.expired, of: "b.test")], .degraded),
    ]

    @Test(
        "All expired is unhealthy; what is missing, running out or failing, or expired beside a valid one, is degraded", arguments: outcomes
    )
    func health(reports: [CertificateReport], status: ComponentHealth.Status) { #expect(CertificateComponent.status(reports) == status) }
}
