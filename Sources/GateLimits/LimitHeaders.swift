package import GateCore

/// The header fields that tell a client how it stands: both families, on every answer to which a limit applied.
///
/// - `X-RateLimit-Limit`, `X-RateLimit-Remaining`, `X-RateLimit-Reset` (seconds since the epoch): what many clients read.
/// - `RateLimit: "api";r=99;t=60` and `RateLimit-Policy: "api";q=100;w=60, …` (draft-ietf-httpapi-ratelimit-headers-10): the
///   first tells of the tightest policy, the second of all that were asked. Both are structured fields (RFC 9651).
/// - `Retry-After` in seconds (RFC 9110 §10.2.3), when refused only.
///
/// Every number of seconds is rounded up: a client that waits as long as it is told is admitted.
package struct LimitHeaders: Sendable {
    private let decision: LimitDecision
    private let now: Timestamp

    /// - Parameter now: the wall clock, for the one field that is given in its terms.
    package init(_ decision: LimitDecision, now: Timestamp) {
        self.decision = decision
        self.now = now
    }

    /// The fields as they are sent, `name: value CRLF` each: this is on nearly every response, so no string is made on the way.
    package var lines: [UInt8] {
        let tightest = decision.tightest
        let reset = Self.secondsRoundedUp(tightest.resetAfterNanoseconds)
        var lines: [UInt8] = []
        lines.reserveCapacity(192 + 48 * decision.states.count)
        Self.put("X-RateLimit-Limit: ", UInt64(tightest.policy.limit), into: &lines)
        Self.put("\r\nX-RateLimit-Remaining: ", UInt64(tightest.remaining), into: &lines)
        Self.put("\r\nX-RateLimit-Reset: ", Self.epochSeconds(now, after: tightest.resetAfterNanoseconds), into: &lines)
        Self.put("\r\nRateLimit: ", into: &lines)
        Self.put(tightest.policy.name, ";r=", UInt64(tightest.remaining), ";t=", reset, into: &lines)
        Self.put("\r\nRateLimit-Policy: ", into: &lines)
        for (index, state) in decision.states.enumerated() {
            if index > 0 { Self.put(", ", into: &lines) }
            Self.put(state.policy.name, ";q=", UInt64(state.policy.limit), ";w=", (state.policy.windowTicks + 999) / 1000, into: &lines)
        }
        if !decision.isAdmitted { Self.put("\r\nRetry-After: ", max(1, reset), into: &lines) }
        Self.put("\r\n", into: &lines)
        return lines
    }
}

// MARK: Writing

extension LimitHeaders {
    private static func secondsRoundedUp(_ nanoseconds: UInt64) -> UInt64 {
        nanoseconds / 1_000_000_000 + (nanoseconds % 1_000_000_000 > 0 ? 1 : 0)
    }

    private static func epochSeconds(_ now: Timestamp, after nanoseconds: UInt64) -> UInt64 {
        let milliseconds = UInt64(max(0, now.milliseconds)) + nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 > 0 ? 1 : 0)
        return milliseconds / 1000 + (milliseconds % 1000 > 0 ? 1 : 0)
    }

    private static func put(_ text: StaticString, into lines: inout [UInt8]) {
        lines.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private static func put(_ text: StaticString, _ value: UInt64, into lines: inout [UInt8]) {
        put(text, into: &lines)
        let start = lines.count
        var rest = value
        repeat {
            lines.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        lines[start...].reverse()
    }

    /// `"name";first=1;second=2`.
    private static func put(
        _ name: String, _ first: StaticString, _ firstValue: UInt64, _ second: StaticString, _ secondValue: UInt64,
        into lines: inout [UInt8]
    ) {
        lines.append(UInt8(ascii: "\""))
        for byte in name.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { lines.append(UInt8(ascii: "\\")) }
            // A structured string is printable ASCII (RFC 9651 §3.3.3).
            lines.append((0x20...0x7E).contains(byte) ? byte : UInt8(ascii: "?"))
        }
        lines.append(UInt8(ascii: "\""))
        put(first, firstValue, into: &lines)
        put(second, secondValue, into: &lines)
    }
}
