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

    @Test("CHECKLIST 39: a certificate that runs out is warned of once a day, until it is well")
    func warnings() {
        var warnings = ExpiryWarnings()
        func due(_ hours: Int, _ reports: [CertificateReport]) -> [String] {
            warnings.due(reports, at: MonotonicInstant(nanoseconds: 0) + .seconds(hours * 3600)).flatMap(\.names)
        }
        let ailing = Self.report(.expiring)
        #expect(due(0, [Self.report(.valid), Self.report(.missing, of: "m.test")]) == [])
        #expect(due(1, [ailing]) == ["a.test"])
        #expect(due(24, [ailing]) == [])
        #expect(due(24, [ailing, Self.report(.expired, of: "b.test")]) == ["b.test"])
        #expect(due(25, [ailing]) == ["a.test"])
        #expect(due(26, [Self.report(.valid)]) == [])
        #expect(due(27, [ailing]) == ["a.test"])
    }
}
