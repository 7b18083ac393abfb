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
        ([report(.missing), report(.expired, of: "b.test")], .unhealthy),
    ]

    @Test("Expired is unhealthy; what is missing, running out or failing is degraded", arguments: outcomes)
    func health(reports: [CertificateReport], status: ComponentHealth.Status) { #expect(CertificateComponent.status(reports) == status) }
}
