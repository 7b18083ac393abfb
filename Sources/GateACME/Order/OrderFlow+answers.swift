import GateCore
import GateHTTP

/// What a successful answer leads to.
extension OrderFlow {
    mutating func begin(at now: Moment) -> Effect {
        deadline = now.monotonic + plan.timeLimit
        if let fault = planFault { return fail(fault) }
        guard var saved else { return send(.createOrder) }
        saved.resumptions += 1
        self.saved = saved
        state = .savingResumption
        return .save(saved)
    }

    mutating func succeeded(_ step: Step, _ answer: AuthorityAnswer, at now: Moment) throws(MalformedAnswer) -> Effect {
        switch step {
        case .createOrder: return try created(answer)
        case .readOrder, .finalize:
            let order = try OrderObject(parsing: answer.body)
            try checkIdentifiers(of: order)
            if order.status != self.order?.status { polls = 0 }
            self.order = order
            return act(on: order, retryAfter: answer.retryAfter, after: step, at: now)
        case .readAuthorization(let index):
            try take(AuthorizationObject(parsing: answer.body), at: index)
            return afterReading(index, at: now)
        case .respond(let index):
            proofs[index].isResponded = true
            hear(answer.retryAfter)
            return presentNext(after: index, at: now)
        case .checkAuthorization(let index):
            try take(AuthorizationObject(parsing: answer.body), at: index)
            hear(answer.retryAfter)
            return afterChecking(index, at: now)
        case .download:
            try chains.take(answer)
            return nextChain(0)
        case .downloadAlternate(let index):
            // A chain that cannot be read is not the preferred one.
            if let name = plan.preferredChain { try? chains.takeAlternate(answer, preferred: name) }
            return nextChain(index + 1)
        case .deactivate(let index): return deactivateNext(after: index)
        }
    }

    private mutating func created(_ answer: AuthorityAnswer) throws(MalformedAnswer) -> Effect {
        let order = try OrderObject(parsing: answer.body)
        try checkIdentifiers(of: order)
        guard let url = answer.location else { throw MalformedAnswer("answer to newOrder", "it has no Location") }
        self.order = order
        let saved = SavedOrder(
            directory: directoryURL.description, url: url.description, names: plan.names, profile: plan.profile, key: plan.key)
        self.saved = saved
        state = .savingOrder
        return .save(saved)
    }

    /// An authority may list the names in another order, but not others.
    private func checkIdentifiers(of order: OrderObject) throws(MalformedAnswer) {
        guard Set(order.identifiers) == Set(plan.names.map { OrderIdentifier($0) }) else {
            throw MalformedAnswer("order", "it is for other names than were asked for")
        }
        guard (1...plan.names.count).contains(order.authorizations.count),
            Set(order.authorizations).count == order.authorizations.count
        else { throw MalformedAnswer("order", "it has \(order.authorizations.count) authorizations for \(plan.names.count) names") }
    }

    /// RFC 8555 §7.1.6: the states of an order.
    private mutating func act(on order: OrderObject, retryAfter: Duration?, after step: Step, at now: Moment) -> Effect {
        switch order.status {
        case .pending:
            // All are proven, but the authority has not counted them yet.
            if !proofs.isEmpty, proofs.allSatisfy(\.isProven) { return poll(.readOrder, retryAfter, at: now) }
            return readAuthorizations(at: now)
        case .ready:
            if case .finalize = step { return poll(.readOrder, retryAfter, at: now) }
            return finalize(at: now)
        case .processing: return poll(.readOrder, retryAfter, at: now)
        case .valid:
            guard let url = order.certificate else { return fail(outOfTurn(step)) }
            return send(.download(url))
        case .invalid:
            if proofs.contains(where: \.isFailed) { return giveUp(notProven(), at: now) }
            isGathering = true
            return readAuthorizations(at: now)
        }
    }

    private mutating func finalize(at now: Moment) -> Effect {
        // Again where the answer was lost and the order turned out not to have moved.
        guard finalizations < Self.maximumFinalizations else {
            return fail(unexpected(MalformedAnswer("order", "it stays ready after it was finalized")))
        }
        finalizations += 1
        return send(.finalize)
    }

    static var maximumFinalizations: Int { 3 }

    mutating func readAuthorizations(at now: Moment) -> Effect {
        guard let order else { return fail(outOfTurn(Step.readOrder)) }
        // Authorizations of an earlier order may be good for this one: then there is nothing to prove.
        if order.status != .pending, !isGathering { return act(on: order, retryAfter: nil, after: .readOrder, at: now) }
        proofs = order.authorizations.map { OrderProof(url: $0) }
        return send(.readAuthorization(0))
    }

    private mutating func afterReading(_ index: Int, at now: Moment) -> Effect {
        if index + 1 < proofs.count { return send(.readAuthorization(index + 1)) }
        if isGathering || proofs.contains(where: \.isFailed) { return giveUp(notProven(), at: now) }
        for proof in proofs {
            if case .unanswerable(let offered) = proof.state { return giveUp(unanswerable(proof.name, offered), at: now) }
        }
        guard proofs.contains(where: \.isOpen), var saved else { return send(.readOrder) }
        for proof in proofs { if let challenge = proof.challenge { saved.challenges[challenge.name] = challenge.kind } }
        self.saved = saved
        state = .savingChallenges
        return .save(saved)
    }

    /// Presents the next open challenge and tells the authority; after the last, asks how they stand.
    mutating func presentNext(after index: Int, at now: Moment) -> Effect {
        for next in proofs.indices where next > index {
            if let challenge = proofs[next].challenge {
                state = .presenting(next)
                return .present(challenge)
            }
        }
        polls = 0
        guard let first = proofs.firstIndex(where: \.isOpen) else { return poll(.readOrder, nil, at: now) }
        return poll(.checkAuthorization(first), nil, at: now)
    }

    private mutating func afterChecking(_ index: Int, at now: Moment) -> Effect {
        if let next = proofs.indices.first(where: { $0 > index && proofs[$0].isOpen }) { return send(.checkAuthorization(next)) }
        let hasFailed = proofs.contains(where: \.isFailed)
        if let first = proofs.firstIndex(where: \.isOpen) {
            // The others' problems are worth knowing too, but the order is lost: not for long.
            if hasFailed { roundsAfterFailure += 1 }
            if roundsAfterFailure <= Self.maximumRoundsAfterFailure { return poll(.checkAuthorization(first), nil, at: now) }
        }
        if hasFailed { return giveUp(notProven(), at: now) }
        polls = 0
        return send(.readOrder)
    }

    static var maximumRoundsAfterFailure: Int { 4 }

    mutating func nextChain(_ index: Int) -> Effect {
        if chains.wantsAlternate(index, preferred: plan.preferredChain) { return send(.downloadAlternate(index)) }
        for name in plan.names { challengeMemory.recordSuccess(for: name) }
        state = .ended
        return .finish(chain: chains.chosen)
    }
}
