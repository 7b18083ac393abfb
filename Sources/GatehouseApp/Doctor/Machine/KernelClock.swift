import CTimex

/// Whether something keeps this machine's clock in step, see adjtimex(2).
package enum KernelClock: Hashable, Sendable {
    case synchronized
    case unsynchronized
    /// The kernel does not say.
    case unknown

    package static func ofThisMachine() -> KernelClock {
        var buffer = timex()
        let state = adjtimex(&buffer)
        guard state >= 0 else { return .unknown }
        return state == TIME_ERROR || buffer.status & STA_UNSYNC != 0 ? .unsynchronized : .synchronized
    }
}
