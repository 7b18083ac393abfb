package import GateCore
package import Logging

/// What happens to certificates, for the log, the metrics and the health.
package enum CertificateEvent: Sendable {
    /// A certificate is served from now on.
    case served(names: [String], issuer: String?, notAfter: Timestamp)
    case ordering(names: [String], directory: String, isRehearsal: Bool)
    case failed(names: [String], CertificateProblem, nextAttempt: Timestamp)
    /// The authority would have it renewed in another time than before.
    case windowMoved(names: [String], start: Timestamp, end: Timestamp, explanationURL: String?)
    case renewalInfoFailed(names: [String], reason: String, nextInquiry: Timestamp)
    /// The account's addresses at the authority are still the old ones; tried again with the next order.
    case contactNotChanged(directory: String, reason: String)
    /// Told when it gets worse, then once a day.
    case ending(names: [String], CertificateHealth, notAfter: Timestamp)
    /// By the clock, the certificate is not valid yet.
    case clockDoubtful(names: [String], notBefore: Timestamp)
    /// Obtained and served, but lost at a restart unless saving succeeds before: it is tried again.
    case notSaved(what: String, reason: String)
    /// A damaged file was moved out of the way.
    case setAside(path: String, to: String, reason: String)
    case unreadable(path: String, reason: String)
    /// The private key can be read by everyone on this machine.
    case keyExposed(path: String)
    /// New files were not taken; what was served before stays.
    case filesRefused(path: String, reason: String)
}

extension CertificateEvent {
    package var level: Logger.Level {
        switch self {
        case .served, .ordering, .windowMoved: .info
        case .renewalInfoFailed, .contactNotChanged: .notice
        case .failed, .clockDoubtful, .setAside, .keyExposed: .warning
        case .ending(_, let health, _): health == .overdue ? .warning : .error
        case .notSaved, .unreadable, .filesRefused: .error
        }
    }

    package func log(to log: Logger) {
        switch self {
        case .served(let names, let issuer, let notAfter):
            log.info(
                "A certificate is served",
                metadata: ["names": Self.list(names), "issuer": "\(issuer ?? "-")", "until": "\(notAfter.rfc3339)"])
        case .ordering(let names, let directory, let isRehearsal):
            log.info(
                isRehearsal ? "A certificate is ordered for trial" : "A certificate is ordered",
                metadata: ["names": Self.list(names), "directory": "\(directory)"])
        case .failed(let names, let problem, let next):
            log.warning(
                "No certificate came: \(problem.sentence)",
                metadata: [
                    "names": Self.list(names), "directory": "\(problem.directory ?? "-")", "failures": "\(problem.count)",
                    "problem": "\(problem.document?.json.text ?? "-")", "next_attempt": "\(next.rfc3339)",
                ])
        case .windowMoved(let names, let start, let end, let url):
            log.info(
                "The authority says when to renew",
                metadata: [
                    "names": Self.list(names), "from": "\(start.rfc3339)", "to": "\(end.rfc3339)", "explanation": "\(url ?? "-")",
                ])
        case .renewalInfoFailed(let names, let reason, let next):
            log.notice(
                "The authority was asked when to renew, and did not say: \(reason)",
                metadata: ["names": Self.list(names), "next_inquiry": "\(next.rfc3339)"])
        case .contactNotChanged(let directory, let reason):
            log.notice("The authority was not told of the new address: \(reason)", metadata: ["directory": "\(directory)"])
        case .ending(let names, let health, let notAfter):
            let metadata: Logger.Metadata = ["names": Self.list(names), "until": "\(notAfter.rfc3339)"]
            switch health {
            case .sound, .overdue:
                log.warning("A certificate should have been renewed by now: see gatehouse cert status", metadata: metadata)
            case .urgent: log.error("A certificate expires very soon: see gatehouse cert status", metadata: metadata)
            case .expired: log.error("A certificate has expired: see gatehouse cert status", metadata: metadata)
            }
        case .clockDoubtful(let names, let notBefore):
            log.warning(
                "By this machine's clock a certificate is not valid yet: the clock is wrong (see timedatectl)",
                metadata: ["names": Self.list(names), "from": "\(notBefore.rfc3339)"])
        case .notSaved(let what, let reason):
            log.error("\(what) could not be saved and would be lost at a restart; trying again: \(reason)")
        case .setAside(let path, let target, let reason):
            log.warning("A damaged file was set aside: \(reason)", metadata: ["path": "\(path)", "moved_to": "\(target)"])
        case .unreadable(let path, let reason):
            log.error("A file cannot be read: \(reason)", metadata: ["path": "\(path)"])
        case .keyExposed(let path):
            log.warning("Everyone on this machine can read a private key: chmod o-r it", metadata: ["path": "\(path)"])
        case .filesRefused(let path, let reason):
            log.error("The new certificate is not taken, the one before stays: \(reason)", metadata: ["path": "\(path)"])
        }
    }

    private static func list(_ names: [String]) -> Logger.MetadataValue { "\(names.joined(separator: ","))" }
}
