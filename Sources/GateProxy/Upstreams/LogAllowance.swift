import GateCore
import Synchronization

/// Holds what each failing request has to say to so many lines a second: an application that is down must not fill the disk.
final class LogAllowance: Sendable {
    private struct State {
        var second = MonotonicInstant(nanoseconds: 0)
        var said = 0
        var withheld = 0
    }

    private let perSecond: Int
    private let state = Mutex(State())

    init(perSecond: Int) { self.perSecond = perSecond }

    /// Asks for one line.
    ///
    /// - Returns: how many were withheld before it; `nil` where it is withheld too.
    func take(at now: MonotonicInstant) -> Int? {
        state.withLock { state in
            if state.said == 0 || now.since(state.second) >= .seconds(1) {
                state.second = now
                state.said = 0
            }
            guard state.said < perSecond else {
                state.withheld += 1
                return nil
            }
            state.said += 1
            defer { state.withheld = 0 }
            return state.withheld
        }
    }
}
