/// How long a log-in must wait after failures: nothing for the first few, then a wait that doubles up to a longest one, so that
/// guessing is slow and the owner is never locked out for good. Arithmetic only; who failed how often is kept elsewhere.
package struct LoginBackoff: Hashable, Sendable {
    /// Failures that cost no wait.
    package var freeFailures: Int
    /// The wait after the first failure beyond those. Each further one doubles it.
    package var firstWait: Duration
    package var longestWait: Duration
    /// The time since the last failure after which all of them are forgotten.
    package var memory: Duration

    package init(
        freeFailures: Int = 4, firstWait: Duration = .seconds(30), longestWait: Duration = .seconds(3600),
        memory: Duration = .seconds(86_400)
    ) {
        self.freeFailures = freeFailures
        self.firstWait = firstWait
        self.longestWait = longestWait
        self.memory = memory
    }

    /// How much longer to wait, or `nil` where the next attempt may be made now.
    ///
    /// - Parameters:
    ///   - failures: those since the last success, or since they were last forgotten.
    ///   - sinceLast: the time since the latest of them. Negative where the clock was set back meanwhile: then the whole step is to
    ///     be waited, never more.
    package func wait(failures: Int, sinceLast: Duration) -> Duration? {
        guard !isForgotten(sinceLast: sinceLast) else { return nil }
        let left = step(failures: failures) - max(sinceLast, .zero)
        return left > .zero ? left : nil
    }

    /// Whether failures that long ago count no more.
    package func isForgotten(sinceLast: Duration) -> Bool { sinceLast >= memory }

    /// The whole wait that follows upon so many failures.
    package func step(failures: Int) -> Duration {
        guard failures > freeFailures else { return .zero }
        var wait = min(firstWait, longestWait)
        // A wait above zero passes every bound within 127 doublings.
        let beyond = failures.subtractingReportingOverflow(freeFailures)
        for _ in 1..<(beyond.overflow ? 128 : min(beyond.partialValue, 128)) {
            guard wait < longestWait else { return longestWait }
            wait = wait > longestWait / 2 ? longestWait : wait * 2
        }
        return wait
    }
}
