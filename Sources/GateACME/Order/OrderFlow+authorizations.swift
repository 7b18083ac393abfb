import GateCore
import GateHTTP

/// Authorizations: what one that was read means, and giving up those that are left open.
extension OrderFlow {
    mutating func take(_ authorization: AuthorizationObject, at index: Int) throws(MalformedAnswer) {
        let name = authorization.identifier.value
        guard plan.names.contains(where: { OrderIdentifier($0) == authorization.identifier }),
            !proofs.indices.contains(where: { $0 != index && proofs[$0].name == name })
        else { throw MalformedAnswer("authorization", "it is for \(name), which the order does not want from it") }
        proofs[index].name = name
        switch authorization.status {
        case .valid: proofs[index].state = .proven
        case .pending: takePending(authorization, at: index)
        case .invalid, .deactivated, .expired, .revoked:
            let failed = authorization.challenges.first { $0.status == .invalid } ?? authorization.challenges.first { $0.error != nil }
            let kind = failed?.kind ?? proofs[index].challenge?.kind
            fail(index, kind, failed?.error ?? Self.problem(of: authorization.status))
        }
    }

    /// Goes on with the challenge that was begun, in this process or before; otherwise chooses one.
    private mutating func takePending(_ authorization: AuthorizationObject, at index: Int) {
        let name = authorization.identifier.value
        // An authority may be slow to draw the conclusion (RFC 8555 §7.1.6).
        if let begun = proofs[index].challenge, let challenge = authorization.challenge(begun.kind), challenge.status == .invalid {
            fail(index, begun.kind, challenge.error)
            return
        }
        let usable = authorization.challenges.filter { $0.status != .invalid }
        let kinds = plan.challenges.filter { kind in usable.contains { $0.kind == kind } }
        let begun = usable.first { $0.status != .pending }?.kind ?? saved?.challenges[name]
        let kind = begun.flatMap { kinds.contains($0) ? $0 : nil } ?? challengeMemory.choose(from: kinds, for: name)
        guard let kind, let challenge = usable.first(where: { $0.kind == kind }), let token = challenge.token else {
            proofs[index].state = .unanswerable(offered: authorization.challenges.map(\.type))
            return
        }
        if challenge.status == .pending, let refusal = proofs[index].refusal {
            fail(index, kind, refusal)
            return
        }
        if challenge.status != .pending { proofs[index].isResponded = true }
        proofs[index].state = .open(PendingChallenge(name: name, kind: kind, token: token), url: challenge.url)
    }

    private mutating func fail(_ index: Int, _ kind: ChallengeKind?, _ problem: ProblemDocument?) {
        proofs[index].state = .failed(kind, problem)
        // What failed while this server was not running says nothing of the kind; and these are said of the name, however it is proven.
        if let kind, proofs[index].isResponded, !["caa", "dns", "rejectedIdentifier", "rateLimited"].contains(problem?.kind ?? "") {
            challengeMemory.recordFailure(of: kind, for: proofs[index].name)
        }
    }

    private static func problem(of status: AuthorizationObject.Status) -> ProblemDocument? {
        status == .invalid ? nil : ProblemDocument(type: "about:blank", detail: "the authorization is \(status.rawValue)")
    }

    /// Deactivates what is left open, so that it doesn't count against the authority's limit of pending authorizations, and fails.
    mutating func giveUp(_ failure: ACMEFailure, at now: Moment) -> Effect {
        lostCause = failure
        return deactivateNext(after: -1)
    }

    mutating func deactivateNext(after index: Int) -> Effect {
        if let next = proofs.indices.first(where: { $0 > index && proofs[$0].isPendingThere }) { return send(.deactivate(next)) }
        return fail(lostCause ?? outOfTurn(index))
    }
}
