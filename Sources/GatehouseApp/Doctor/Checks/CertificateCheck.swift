import GateCore

/// Whether there is a certificate for every name, how long it lasts, and what the last attempt failed with.
struct CertificateCheck {
    /// `acme`, `files` or `self-signed`.
    let mode: String
    /// For which there must be one.
    let names: [String]
    let certificates: [CertificateSummary]
    let files: [CertificateFile]
    let isRunning: Bool
    let now: Timestamp

    /// Renewal begins with a third of the life left; a certificate of 90 days that has less than this was not renewed for weeks.
    static let warningTime = Duration.seconds(14 * 86_400)
    static let problemTime = Duration.seconds(3 * 86_400)

    func findings() -> [Finding] {
        if mode == "files" { return files.flatMap(file) + uncovered(by: files.flatMap { (try? $0.names.get()) ?? [] }) }
        if certificates.isEmpty { return [missing(names)] }
        return certificates.flatMap(certificate) + uncovered(by: certificates.flatMap(\.names))
    }

    private func certificate(_ summary: CertificateSummary) -> [Finding] {
        let attempt = lastAttempt(summary)
        if summary.isMissing { return [missing(summary.names)] + attempt }
        let names = summary.names.joined(separator: ", ")
        if summary.source == "self-signed" {
            return [
                say(
                    .warning, "The certificate for \(names) is self-signed: browsers warn of it.",
                    "Meant for trials; for one that is trusted, set tls.mode to \"acme\" and acme.email.")
            ] + attempt
        }
        guard let notAfter = summary.notAfter else { return [missing(summary.names)] + attempt }
        let by = summary.issuer.map { ", issued by \($0)," } ?? ""
        return [life("The certificate for \(names)\(by)", notAfter, advice: renewalAdvice(summary))] + attempt
    }

    private func renewalAdvice(_ summary: CertificateSummary) -> String {
        isRunning
            ? "See the last attempt below, and gatehouse cert status; gatehouse cert renew tries again at once."
            : "Start gatehouse: a running server renews by itself."
    }

    private func life(_ what: String, _ notAfter: Timestamp, advice: String) -> Finding {
        let left = notAfter - now
        let date = notAfter.rfc3339.prefix(10)
        if left < .zero { return say(.problem, "\(what) expired on \(date): every client turns away.", advice) }
        let words = "\(what) expires in \(Self.days(left)), on \(date)."
        if left < Self.problemTime { return say(.problem, words, advice) }
        return left < Self.warningTime ? say(.warning, words, advice) : say(.ok, words)
    }

    private static func days(_ duration: Duration) -> String {
        let days = duration.components.seconds / 86_400
        return days == 0 ? "\(duration.components.seconds / 3600) h" : days == 1 ? "1 day" : "\(days) days"
    }

    private func missing(_ names: [String]) -> Finding {
        say(
            .problem,
            "There is no certificate for \(names.joined(separator: ", ")) yet\(isRunning ? ": a self-signed one stands in" : "").",
            isRunning
                ? "It is ordered by itself as soon as the problems above are gone. gatehouse cert status shows when it is tried next."
                : "Start gatehouse: a running server orders it.")
    }

    private func lastAttempt(_ summary: CertificateSummary) -> [Finding] {
        guard let problem = summary.problem else { return [] }
        let at = problem.at.map { " on \($0.rfc3339.prefix(16).map { $0 == "T" ? " " : String($0) }.joined()) UTC" } ?? ""
        let quote = problem.detail.map { problem.message.contains($0) ? "" : " The authority wrote: \"\($0)\"" } ?? ""
        let next =
            summary.nextActionAt.map {
                " The next attempt is at \($0.rfc3339.prefix(16).map { $0 == "T" ? " " : String($0) }.joined()) UTC."
            } ?? ""
        return [
            Finding(
                "last try", Finding.certificate, summary.isMissing ? .problem : .warning,
                "The last attempt for \(summary.names.joined(separator: ", ")) failed\(at): \(problem.message)\(quote)",
                advice: "When its cause is gone: gatehouse cert renew.\(next)")
        ]
    }

    private func file(_ file: CertificateFile) -> [Finding] {
        var findings: [Finding] = []
        switch file.names {
        case .failure(let problem):
            findings.append(
                say(
                    .problem, "\(file.path) with \(file.keyPath) cannot be used: \(problem.words).",
                    "Put the right files there, or correct tls.certificate and tls.key; a running server reads them again by itself."))
        case .success(let names):
            if let notAfter = file.notAfter {
                findings.append(
                    life(
                        "\(file.path), for \(names.joined(separator: ", ")),", notAfter,
                        advice: "Put a new certificate there; a running server reads it by itself."))
            }
        }
        if let mode = file.keyMode, mode & 0o007 != 0 {
            findings.append(
                say(
                    .problem, "Everybody on this machine can read the key \(file.keyPath) (mode 0\(String(mode, radix: 8))).",
                    "chmod 0640 \(file.keyPath); and if somebody may have read it, replace the key."))
        }
        return findings
    }

    private func uncovered(by covering: [String]) -> [Finding] {
        let missing = names.filter { name in
            let wildcard = name.firstIndex(of: ".").map { "*" + name[$0...] }
            return !covering.contains { $0 == name || $0 == wildcard }
        }
        guard !missing.isEmpty, !covering.isEmpty else { return [] }
        return [
            say(
                .problem, "No certificate covers \(missing.joined(separator: ", ")).",
                mode == "files" ? "Have one issued for it, and add it to tls.certificate and tls.key." : "Add it to acme.domains.")
        ]
    }

    private func say(_ status: Finding.Status, _ seen: String, _ advice: String? = nil) -> Finding {
        Finding("validity", Finding.certificate, status, seen, advice: advice)
    }
}
