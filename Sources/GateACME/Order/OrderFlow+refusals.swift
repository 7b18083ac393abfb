import GateCore
import GateHTTP

/// What a refusal, a missing answer or an unreadable one leads to. Nothing is asked for a second time but what changes nothing by being
/// asked twice.
extension OrderFlow {
    mutating func refused(_ step: Step, _ problem: ProblemDocument, _ answer: AuthorityAnswer, at now: Moment) -> Effect {
        let isPassing = answer.status >= 500 || answer.status == 429 || problem.kind == "rateLimited" || problem.kind == "serverInternal"
        if problem.kind == "accountDoesNotExist" {
            // Its orders went with it, and one new account is enough.
            saved = nil
            guard proofs.isEmpty, !hasRegistered else { return fail(refusal(problem, answer, at: now)) }
            hasRegistered = true
            state = .registering
            return .register
        }
        switch step {
        case .createOrder, .readOrder:
            if case .createOrder = step { return refusedOrder(problem, answer, at: now) }
            if isPassing { return tryAgain(step, answer.retryAfter, at: now, orFail: refusal(problem, answer, keepsOrder: true, at: now)) }
            // Nothing but the resumed order was asked for yet: it is gone, or belongs to an account that was changed.
            if order == nil {
                saved = nil
                return send(.createOrder)
            }
            return fail(refusal(problem, answer, at: now))
        case .readAuthorization, .checkAuthorization:
            if isPassing { return tryAgain(step, answer.retryAfter, at: now, orFail: refusal(problem, answer, keepsOrder: true, at: now)) }
            return giveUp(refusal(problem, answer, at: now), at: now)
        case .respond(let index):
            if isPassing { return tryAgain(step, answer.retryAfter, at: now, orFail: refusal(problem, answer, keepsOrder: true, at: now)) }
            // An earlier answer may have been lost on its way: then the authority is looking already, and refuses a second telling.
            proofs[index].refusal = problem
            proofs[index].isResponded = true
            return presentNext(after: index, at: now)
        case .finalize:
            // Whether it went through is for the order to say.
            if isPassing || problem.kind == "orderNotReady" {
                return tryAgain(.readOrder, answer.retryAfter, at: now, orFail: refusal(problem, answer, keepsOrder: true, at: now))
            }
            return fail(refusal(problem, answer, at: now))
        case .download:
            let failure = refusal(problem, answer, keepsOrder: true, at: now)
            return isPassing ? tryAgain(step, answer.retryAfter, at: now, orFail: failure) : fail(refusal(problem, answer, at: now))
        case .downloadAlternate(let index): return nextChain(index + 1)
        case .deactivate(let index): return deactivateNext(after: index)
        }
    }

    private mutating func refusedOrder(_ problem: ProblemDocument, _ answer: AuthorityAnswer, at now: Moment) -> Effect {
        // RFC 9773 §5: the rest of the order may be sound. Authorities word this refusal in several ways.
        let aboutReplaces = ["alreadyReplaced", "malformed", "unauthorized", "serverInternal"]
        if sendsReplaces, aboutReplaces.contains(problem.kind) {
            leavesOutReplaces = true
            return send(.createOrder)
        }
        return fail(refusal(problem, answer, at: now))
    }

    mutating func unanswered(_ step: Step, _ error: OutgoingError, at now: Moment) -> Effect {
        switch step {
        // Whether there is an order now is not known: another one could be one too many.
        case .createOrder where error.reason != .connectionFailed: fail(unreachable(error, keepsOrder: false))
        case .finalize: tryAgain(.readOrder, nil, at: now, orFail: unreachable(error, keepsOrder: true))
        case .downloadAlternate(let index): nextChain(index + 1)
        case .deactivate: fail(lostCause ?? unreachable(error, keepsOrder: false))
        default: tryAgain(step, nil, at: now, orFail: unreachable(error, keepsOrder: true))
        }
    }

    mutating func unreadable(_ step: Step, _ error: MalformedAnswer, at now: Moment) -> Effect {
        switch step {
        case .downloadAlternate(let index): nextChain(index + 1)
        case .deactivate: fail(lostCause ?? unexpected(error))
        case .createOrder: fail(unexpected(error))
        // A page of somebody in between, perhaps. Not kept: an order that cannot be read cannot be resumed.
        case .finalize: tryAgain(.readOrder, nil, at: now, orFail: unexpected(error))
        default: tryAgain(step, nil, at: now, orFail: unexpected(error))
        }
    }
}
