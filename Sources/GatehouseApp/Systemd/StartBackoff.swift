import GateCore

/// Starts in a row that ended early, and how long the next one waits for it (CHECKLIST 54).
///
/// Until version 254 systemd restarts a service after the same time always, or gives it up. Here the first restarts are at once, so that
/// whoever was killed is back within a moment, and the further ones are spread.
struct StartBackoff: Hashable {
    /// How many there were before this start.
    private(set) var early: Int
    /// When this start begins in earnest, after its wait.
    private(set) var began: MonotonicInstant

    /// What runs for this long did not end early.
    static let lasting = Duration.seconds(60)
    private static let atOnce = 3
    private static let longest = Duration.seconds(15)

    /// - Parameter previous: the start before, where that one has not ended in good order.
    init(after previous: StartBackoff?, at now: MonotonicInstant) {
        early = previous.map { now.since($0.began) < Self.lasting ? $0.early + 1 : 0 } ?? 0
        began = now
        began = now + wait
    }

    /// 0 three times, then 0.5 s, 1 s, 2 s … 15 s.
    var wait: Duration {
        early > Self.atOnce ? min(.milliseconds(500) * (1 << min(early - Self.atOnce - 1, 10)), Self.longest) : .zero
    }
}

// As it is kept between two processes.
extension StartBackoff {
    var text: String { "\(early) \(began.nanoseconds)\n" }

    /// `nil` for anything else than ``text``.
    init?(_ text: String) {
        let words = text.split { $0 == " " || $0 == "\n" }
        guard words.count == 2, let early = Int(words[0]), early >= 0, let began = UInt64(words[1]) else { return nil }
        self.early = min(early, 1 << 20)
        self.began = MonotonicInstant(nanoseconds: began)
    }
}
