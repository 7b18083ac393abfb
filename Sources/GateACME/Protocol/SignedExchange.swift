/// One signed request until it is answered (RFC 8555 §6.5): which nonce it is sent with, and how often it is sent again because the
/// authority did not take its nonce.
struct SignedExchange: Sendable {
    enum Step: Hashable, Sendable {
        /// Ask `newNonce` for one.
        case fetchNonce
        /// Sign with this nonce, and send.
        case post(nonce: String)
        case done(AuthorityAnswer)
        case failed(MalformedAnswer)
    }

    /// Authorities that test their clients refuse half of all nonces: this many in a row come once in thirty million requests.
    static let maximumRejections = 24

    private var rejections = 0

    /// - Parameter nonce: from the pool.
    func begin(nonce: String?) -> Step { nonce.map { .post(nonce: $0) } ?? .fetchNonce }

    func fetched(_ answer: AuthorityAnswer) -> Step {
        // An error beside a nonce is of no interest here, one without is.
        if let nonce = answer.nonce { return .post(nonce: nonce) }
        return answer.isSuccess ? .failed(MalformedAnswer("answer to newNonce", "it has no Replay-Nonce")) : .done(answer)
    }

    /// `badNonce` means that the request was not looked at otherwise, so that it may be sent again, whatever it asks for.
    mutating func answered(_ answer: AuthorityAnswer) -> Step {
        guard answer.problem?.kind == "badNonce" else { return .done(answer) }
        rejections += 1
        guard rejections <= Self.maximumRejections else { return .done(answer) }
        return begin(nonce: answer.nonce)
    }
}
