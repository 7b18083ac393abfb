import GateCore
import GateHTTP

/// The failures, each in words.
extension OrderFlow {
    mutating func fail(_ failure: ACMEFailure) -> Effect {
        state = .ended
        var failure = failure
        failure.challengeMemory = challengeMemory
        failure.keepsOrder = failure.keepsOrder && saved.map { !isHopeless($0, failure.cause) } ?? false
        return .fail(failure)
    }

    /// An order that the authority never finishes must not stand in the way of a new one until it expires, days later. Attempts that
    /// the authority had no part in say nothing of it.
    private func isHopeless(_ order: SavedOrder, _ cause: ACMEFailure.Cause) -> Bool {
        switch cause {
        case .unreachable, .local, .cancelled: false
        default: order.resumptions >= Self.maximumResumptions
        }
    }

    static var maximumResumptions: Int { 3 }

    private var authority: String { directoryURL.host }

    /// What is wrong with the plan itself: nothing is sent.
    var planFault: ACMEFailure? {
        func impossible(_ sentence: String) -> ACMEFailure { ACMEFailure(.impossiblePlan, sentence, isWorthRetrying: false) }
        if plan.names.isEmpty { return impossible("No names are configured, so there is no certificate to order.") }
        if let wildcard = plan.names.first(where: { $0.hasPrefix("*") }) {
            return impossible(
                "\(wildcard) cannot be ordered: authorities prove wildcards by DNS records only. List the names one by one, or bring a "
                    + "certificate in files.")
        }
        if plan.challenges.isEmpty {
            return impossible(
                "Neither port 80 nor port 443 is listened on, so no authority can prove that this server answers for its names.")
        }
        let profiles = directory.meta.profiles
        if let profile = plan.profile, !profiles.isEmpty, profiles[profile] == nil {
            return impossible(
                "\(authority) has no profile \"\(profile)\"; it has \(profiles.keys.sorted().joined(separator: ", ")). "
                    + "Correct acme.profile, or leave it out.")
        }
        return nil
    }

    func refusal(_ problem: ProblemDocument, _ answer: AuthorityAnswer, keepsOrder: Bool = false, at now: Moment) -> ACMEFailure {
        .refused(
            by: authority, problem, retryAfter: answer.retryAfter.map { now.wall + $0 },
            termsOfService: directory.meta.termsOfService, keepsOrder: keepsOrder)
    }

    func unreachable(_ error: OutgoingError, keepsOrder: Bool) -> ACMEFailure { .unreachable(authority, error, keepsOrder: keepsOrder) }

    func unexpected(_ error: MalformedAnswer) -> ACMEFailure { .unexpected(authority, error) }

    func timedOut(retryAfter: Duration, at now: Moment) -> ACMEFailure {
        ACMEFailure(
            .timedOut, "\(authority) had not finished in time. The order is kept, and the next attempt goes on with it.",
            retryAfter: now.wall + retryAfter, keepsOrder: true)
    }

    func notPresented(_ name: String, _ reason: String) -> ACMEFailure {
        ACMEFailure(.local, "The challenge for \(name) could not be answered by this server: \(reason).")
    }

    func unanswerable(_ name: String, _ offered: [String]) -> ACMEFailure {
        ACMEFailure(
            .impossiblePlan,
            "\(authority) would prove \(name) by \(offered.isEmpty ? "nothing" : offered.joined(separator: " or ")) only, and this server "
                + "can answer \(plan.challenges.map(\.rawValue).joined(separator: " and ")). "
                + "Open port 80 for HTTP-01 or port 443 for TLS-ALPN-01, or use another authority.", isWorthRetrying: false)
    }

    /// Of every name that failed.
    func notProven() -> ACMEFailure {
        var failed: [ACMEFailure.Authorization] = []
        var words: [String] = []
        var isWorthRetrying = false
        for proof in proofs {
            guard case .failed(let kind, let problem) = proof.state else { continue }
            failed.append(ACMEFailure.Authorization(name: proof.name, challenge: kind, problem: problem))
            let advice = ProblemAdvice.onName(proof.name, problem, challenge: kind, caaIdentities: directory.meta.caaIdentities)
            isWorthRetrying = isWorthRetrying || advice.isWorthRetrying
            let said = problem?.detail.map { " (\"\($0)\")" } ?? ""
            words.append("\(proof.name): \(advice.meaning)\(said). \(advice.action)")
            if !proof.isResponded {
                words.append("The authority looked while this server was not running, which may be all that was wrong.")
            }
        }
        // An order may be invalid although no authorization is.
        if failed.isEmpty, let error = order?.error {
            return .refused(by: authority, error, termsOfService: directory.meta.termsOfService, countsAgainstLimits: true)
        }
        return ACMEFailure(
            .notProven, words.isEmpty ? "\(authority) gave the order up without a reason." : words.joined(separator: " "),
            problem: failed.lazy.compactMap(\.problem).first ?? order?.error, authorizations: failed,
            isWorthRetrying: words.isEmpty || isWorthRetrying, countsAgainstLimits: true)
    }

    /// An event that nothing asked for: a fault in what drives the flow.
    func outOfTurn(_ what: Any) -> ACMEFailure {
        ACMEFailure(.local, "The order was interrupted by an event out of turn, a fault of Gatehouse: \(what).", keepsOrder: true)
    }
}

extension ACMEFailure {
    static func refused(
        by authority: String, _ problem: ProblemDocument, retryAfter: Timestamp? = nil, termsOfService: String? = nil,
        countsAgainstLimits: Bool = false, keepsOrder: Bool = false
    ) -> ACMEFailure {
        let advice = ProblemAdvice.onRequest(problem, termsOfService: termsOfService)
        let said = problem.detail.map { " (\"\($0)\")" } ?? ""
        var sentence = "\(authority) refused: \(advice.meaning)\(said). \(advice.action)"
        if let retryAfter { sentence += " It asks to be left alone until \(retryAfter.rfc3339)." }
        // What concerns single names stands in the subproblems (RFC 8555 §6.7.1).
        let names = problem.subproblems.compactMap { part in
            part.identifier.map { Authorization(name: $0, challenge: nil, problem: part) }
        }
        for name in names {
            let advice = ProblemAdvice.onName(name.name, name.problem, challenge: nil)
            sentence += " \(name.name): \(advice.meaning). \(advice.action)"
        }
        return ACMEFailure(
            .refused, sentence, problem: problem, authorizations: names, isWorthRetrying: advice.isWorthRetrying,
            countsAgainstLimits: countsAgainstLimits, retryAfter: retryAfter, keepsOrder: keepsOrder)
    }

    static func unreachable(_ authority: String, _ error: OutgoingError, keepsOrder: Bool) -> ACMEFailure {
        guard error.reason != .cancelled else {
            return ACMEFailure(.cancelled, "The attempt was interrupted.", keepsOrder: keepsOrder)
        }
        let action =
            switch error.reason {
            case .untrustedCertificate:
                "If it is a private authority, set acme.ca_file to its root certificate; otherwise check this server's clock, and that the package ca-certificates is installed."
            case .nameNotFound: "Check that this server can resolve names."
            case .forbiddenAddress: "Its address is one that this server may not reach."
            default: "Check that this server can reach the internet. It is tried again."
            }
        return ACMEFailure(.unreachable(error), "\(authority) gave no answer: \(error.description). \(action)", keepsOrder: keepsOrder)
    }

    static func unexpected(_ authority: String, _ error: MalformedAnswer) -> ACMEFailure {
        ACMEFailure(
            .unexpectedAnswer,
            "\(authority) gave an answer that breaks the protocol: \(error.description). Check acme.directory; if it is right, "
                + "the fault is the authority's.")
    }
}
