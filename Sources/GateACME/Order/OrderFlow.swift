package import GateCore
package import GateHTTP

/// One attempt to get a certificate (RFC 8555 §7.1.6, §7.4), without clock, socket or lock: it takes what happened and says what to do
/// next, one thing at a time.
///
/// It creates one order at most. What it gives to be saved is enough to go on in another process, whatever state the order was left
/// in: the first thing that a resumed flow does is to ask the authority for the order, which knows its own state best.
package struct OrderFlow: Sendable {
    package enum Event: Sendable {
        case begin
        /// To what was sent last.
        case answered(AuthorityAnswer)
        /// What was sent last brought no answer; whether the authority got it is not known.
        case unanswered(OutgoingError)
        /// The authority's answer broke the protocol below this flow.
        case misanswered(MalformedAnswer)
        case saved
        /// The account that was unknown has been registered anew.
        case registered
        case presented
        case notPresented(reason: String)
        /// The moment that was waited for has come.
        case timePassed
    }

    package enum Effect: Sendable {
        case send(OrderRequest)
        /// Then ``Event/saved``.
        case save(SavedOrder)
        /// Then ``Event/registered``.
        case register
        /// Then ``Event/presented`` or ``Event/notPresented(reason:)``.
        case present(PendingChallenge)
        /// Then ``Event/timePassed``.
        case wait(until: MonotonicInstant)
        /// PEM, as the authority gave it.
        case finish(chain: [UInt8])
        case fail(ACMEFailure)
    }

    /// A request, and what its answer is for.
    enum Step: Sendable {
        case createOrder
        case readOrder
        /// For the first time.
        case readAuthorization(Int)
        case respond(Int)
        /// Again, until it is settled.
        case checkAuthorization(Int)
        case finalize
        case download(HTTPURL)
        case downloadAlternate(Int)
        case deactivate(Int)
    }

    enum State: Sendable {
        case idle
        case awaiting(Step)
        case waiting(Step, until: MonotonicInstant)
        case registering
        case savingResumption
        case savingOrder
        case savingChallenges
        case presenting(Int)
        case ended
    }

    let plan: CertificateRequestPlan
    let directoryURL: HTTPURL
    let directory: DirectoryObject
    var state = State.idle
    /// What is known at the authority; `nil` until there is an order.
    package internal(set) var saved: SavedOrder?
    package internal(set) var challengeMemory: ChallengeMemory
    var order: OrderObject?
    var proofs: [OrderProof] = []
    /// Set by the first event.
    var deadline: MonotonicInstant?
    /// How often the present phase has asked how it stands.
    var polls = 0
    /// `Retry-After` of the present round of questions.
    var patience: Duration?
    /// Failures to get an answer, one after the other.
    var troubles = 0
    var finalizations = 0
    var roundsAfterFailure = 0
    var leavesOutReplaces = false
    var hasRegistered = false
    /// The order is invalid: its authorizations are read for their problems only.
    var isGathering = false
    /// Why, while what is left open is being deactivated.
    var lostCause: ACMEFailure?
    var chains = ChainChoice()

    /// - Parameter resume: passed over where it is not for the names, the profile and the authority of the plan.
    package init(_ plan: CertificateRequestPlan, directoryURL: HTTPURL, directory: DirectoryObject, resume: SavedOrder?) {
        self.plan = plan
        self.directoryURL = directoryURL
        self.directory = directory
        challengeMemory = plan.challengeMemory
        if let resume, resume.directory == directoryURL.description, Set(resume.names) == Set(plan.names), resume.profile == plan.profile {
            saved = resume
        }
    }

    package mutating func handle(_ event: Event, at now: Moment) -> Effect {
        switch (state, event) {
        case (.idle, .begin): return begin(at: now)
        case (.awaiting(let step), .answered(let answer)):
            if let problem = answer.problem { return refused(step, problem, answer, at: now) }
            do throws(MalformedAnswer) {
                let effect = try succeeded(step, answer, at: now)
                troubles = 0
                return effect
            } catch {
                return unreadable(step, error, at: now)
            }
        case (.awaiting(let step), .unanswered(let error)): return unanswered(step, error, at: now)
        case (.awaiting(let step), .misanswered(let error)): return unreadable(step, error, at: now)
        case (.waiting(let step, let until), .timePassed):
            return now.monotonic < until ? .wait(until: until) : send(step)
        case (.registering, .registered): return send(.createOrder)
        case (.savingResumption, .saved): return send(.readOrder)
        case (.savingOrder, .saved): return readAuthorizations(at: now)
        case (.savingChallenges, .saved): return presentNext(after: -1, at: now)
        case (.presenting(let index), .presented):
            return proofs[index].isResponded ? presentNext(after: index, at: now) : send(.respond(index))
        case (.presenting(let index), .notPresented(let reason)): return giveUp(notPresented(proofs[index].name, reason), at: now)
        default: return fail(outOfTurn(event))
        }
    }

    /// Sends what `step` asks; its answer is awaited.
    mutating func send(_ step: Step) -> Effect {
        guard let request = request(for: step) else { return fail(outOfTurn(step)) }
        state = .awaiting(step)
        return .send(request)
    }

    private func request(for step: Step) -> OrderRequest? {
        switch step {
        case .createOrder: return .newOrder(payload: newOrderPayload)
        case .readOrder: return saved.flatMap { HTTPURL($0.url) }.map { .read($0) }
        case .readAuthorization(let index), .checkAuthorization(let index): return .read(proofs[index].url)
        case .respond(let index):
            guard case .open(_, let url) = proofs[index].state else { return nil }
            return .respond(url)
        case .finalize: return order.map { .finalize($0.finalize) }
        case .download(let url): return .download(url)
        case .downloadAlternate(let index): return .download(chains.alternates[index])
        case .deactivate(let index): return .deactivate(proofs[index].url)
        }
    }

    /// RFC 8555 §7.4, with `replaces` (RFC 9773 §5) and `profile` (draft-ietf-acme-profiles §4).
    private var newOrderPayload: JSON {
        var members = [JSON.Member("identifiers", .array(plan.names.map { OrderIdentifier($0).json }))]
        if let profile = plan.profile { members.append(JSON.Member("profile", .string(profile))) }
        if sendsReplaces, let replaces = plan.replaces { members.append(JSON.Member("replaces", .string(replaces))) }
        return .object(members)
    }

    var sendsReplaces: Bool { plan.replaces != nil && directory.renewalInfo != nil && !leavesOutReplaces }
}
