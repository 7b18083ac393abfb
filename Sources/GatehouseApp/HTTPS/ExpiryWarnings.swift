import GateAPI
import GateCore
import Logging

/// Warns of certificates that run out: once a day for each.
struct ExpiryWarnings {
    private static let interval = Duration.seconds(86_400)
    private var warned: [[String]: MonotonicInstant] = [:]

    /// Which of them to warn of at this moment. Those that are well again are forgotten.
    mutating func due(_ reports: [CertificateReport], at now: MonotonicInstant) -> [CertificateReport] {
        let ailing = reports.filter { $0.status == .expiring || $0.status == .expired }
        warned = warned.filter { names, _ in ailing.contains { $0.names == names } }
        let due = ailing.filter { report in warned[report.names].map { now.since($0) >= Self.interval } ?? true }
        for report in due { warned[report.names] = now }
        return due
    }
}

extension Logger {
    func warn(ofExpiry report: CertificateReport) {
        log(
            level: report.status == .expired ? .error : .warning,
            report.status == .expired ? "A certificate has expired" : "A certificate expires soon, and has not been replaced",
            metadata: [
                "names": "\(report.names.joined(separator: " "))", "not_after": "\(report.notAfter?.rfc3339 ?? "")",
                "source": "\(report.source.rawValue)", "next_action": "\(report.nextAction)",
                "last_problem": "\(report.lastProblem?.message ?? "none")",
            ])
    }
}
