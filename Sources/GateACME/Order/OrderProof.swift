import GateHTTP

/// One authorization of an order, and how far its proof has come.
struct OrderProof: Sendable {
    enum State: Sendable {
        /// Not read yet.
        case unread
        /// The authority waits for us, or is looking.
        case open(PendingChallenge, url: HTTPURL)
        /// Waits for us, and offers no challenge that we can answer.
        case unanswerable(offered: [String])
        case proven
        case failed(ChallengeKind?, ProblemDocument?)
    }

    let url: HTTPURL
    var name = ""
    var state = State.unread
    /// Whether the authority was told, or needs not be.
    var isResponded = false
    /// Why the authority did not want to be told: it counts where the challenge turns out to be waiting still.
    var refusal: ProblemDocument?

    var isOpen: Bool { if case .open = state { true } else { false } }
    var isFailed: Bool { if case .failed = state { true } else { false } }
    var isProven: Bool { if case .proven = state { true } else { false } }
    /// Whether it stays open at the authority if nobody deactivates it.
    var isPendingThere: Bool {
        switch state {
        case .open, .unanswerable: true
        case .unread, .proven, .failed: false
        }
    }
    var challenge: PendingChallenge? { if case .open(let challenge, _) = state { challenge } else { nil } }
}
