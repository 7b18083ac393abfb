package import GateCore
package import GateHTTP
package import GateIdentity
package import GateLimits
import NIOHTTP1

/// The policies that requests are counted under, and the store that counts.
package final class RequestLimits: Sendable {
    /// The policies of the contract. The raw value is the name in the configuration and in `RateLimit`.
    package enum Policy: String, CaseIterable, Sendable {
        case api
        case auth
        case login
        case loginAccount = "login-account"
        case register
        case passwordReset = "password-reset"
    }

    private let store: any LimitStore
    private let policies: [LimitPolicy?]

    /// A policy that is missing from `policies` does not limit.
    package init(store: any LimitStore, policies: [Policy: LimitPolicy]) {
        self.store = store
        self.policies = Policy.allCases.map { policies[$0] }
    }

    /// What `api` asks: by user where one is signed in, else by network.
    package func apiQuestions(network: IPAddress?, user: User.ID?) -> LimitQuestions {
        var questions = LimitQuestions()
        guard let policy = policies[Policy.api.index] else { return questions }
        let subject: LimitSubject = user.map { .user(high: $0.high, low: $0.low) } ?? Self.subject(network)
        questions.append(LimitQuestion(policy: policy, subject: subject))
        return questions
    }

    /// What several policies ask of somebody who is not signed in. `account` is the keyed hash of the address that the request
    /// names; without it `login-account` does not ask.
    package func questions(_ names: [Policy], network: IPAddress?, account: UInt64?) -> LimitQuestions {
        var questions = LimitQuestions()
        for name in names {
            guard let policy = policies[name.index] else { continue }
            if name != .loginAccount {
                questions.append(LimitQuestion(policy: policy, subject: Self.subject(network)))
            } else if let account, let network {
                questions.append(LimitQuestion(policy: policy, subject: .networkAndAccount(network.limitedNetwork, account: account)))
            }
        }
        return questions
    }

    /// What a route's policies ask.
    package func questions(_ policies: [RoutePolicy], network: IPAddress?, principal: Principal?) -> LimitQuestions {
        var questions = LimitQuestions()
        for counted in policies {
            let subject: LimitSubject =
                switch (counted.key, principal) {
                case (.user, let principal?): .user(high: principal.userID.high, low: principal.userID.low)
                case (.session, let principal?): .session(high: principal.sessionID.high, low: principal.sessionID.low)
                default: Self.subject(network)
                }
            questions.append(LimitQuestion(policy: counted.policy, subject: subject))
        }
        return questions
    }

    /// What becomes of the request, with the fields that tell of it; `nil` where the store is elsewhere and has to be asked.
    package func askInPlace(_ questions: LimitQuestions, now: Timestamp) -> Result<EncodedFields, any Error>? {
        store.decideInPlace(questions).map { Self.result($0, now: now) }
    }

    /// Asks in place where the store can, and goes on with the fields to send, or with what refuses the request.
    package func ask(
        _ questions: LimitQuestions, now: @escaping @Sendable () -> Timestamp,
        then answer: @escaping @Sendable (Result<EncodedFields, any Error>) -> Answer
    ) -> Answer {
        guard !questions.isEmpty else { return answer(.success(EncodedFields())) }
        if let result = askInPlace(questions, now: now()) { return answer(result) }
        return .later { [store] in
            do {
                return await answer(Self.result(try await store.decide(questions), now: now())).response
            } catch {
                return await answer(.failure(error)).response
            }
        }
    }

    /// - Returns: the fields that tell of the decision.
    /// - Throws: `Problem` 429 with the same fields, or `StorageError`.
    package func ask(_ questions: LimitQuestions, now: Timestamp) async throws -> EncodedFields {
        guard !questions.isEmpty else { return EncodedFields() }
        return try Self.result(try await store.decide(questions), now: now).get()
    }

    private static func result(_ decision: LimitDecision, now: Timestamp) -> Result<EncodedFields, any Error> {
        let fields = EncodedFields(lines: LimitHeaders(decision, now: now).lines)
        guard let wait = decision.retryAfter else { return .success(fields) }
        let state = decision.tightest.policy
        return .failure(
            Problem(
                .rateLimited,
                "The policy \"\(state.name)\" admits \(state.limit) in \(state.window.text). Try again in \(wait.secondsRoundedUp) s.",
                headers: HTTPHeaders(fields.fields)))
    }

    private static func subject(_ network: IPAddress?) -> LimitSubject { network.map { .network($0.limitedNetwork) } ?? .local }
}

extension RequestLimits.Policy {
    fileprivate var index: Int {
        switch self {
        case .api: 0
        case .auth: 1
        case .login: 2
        case .loginAccount: 3
        case .register: 4
        case .passwordReset: 5
        }
    }
}
