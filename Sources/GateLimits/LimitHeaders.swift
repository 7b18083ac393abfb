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
        var room = 256
        for state in decision.states { room += 64 + 2 * state.policy.name.utf8.count }
        room += 2 * tightest.policy.name.utf8.count
        return [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            var lines = LineWriter(buffer)
            lines.put("X-RateLimit-Limit: ", UInt64(tightest.policy.limit))
            lines.put("\r\nX-RateLimit-Remaining: ", UInt64(tightest.remaining))
            lines.put("\r\nX-RateLimit-Reset: ", Self.epochSeconds(now, after: tightest.resetAfterNanoseconds))
            lines.put("\r\nRateLimit: ")
            lines.put(tightest.policy.name, ";r=", UInt64(tightest.remaining), ";t=", reset)
            lines.put("\r\nRateLimit-Policy: ")
            for (index, state) in decision.states.enumerated() {
                if index > 0 { lines.put(", ") }
                lines.put(state.policy.name, ";q=", UInt64(state.policy.limit), ";w=", (state.policy.windowTicks + 999) / 1000)
            }
            if !decision.isAdmitted { lines.put("\r\nRetry-After: ", max(1, reset)) }
            lines.put("\r\n")
            count = lines.count
        }
    }

    private static func secondsRoundedUp(_ nanoseconds: UInt64) -> UInt64 {
        nanoseconds / 1_000_000_000 + (nanoseconds % 1_000_000_000 > 0 ? 1 : 0)
    }

    private static func epochSeconds(_ now: Timestamp, after nanoseconds: UInt64) -> UInt64 {
        let milliseconds = UInt64(max(0, now.milliseconds)) + nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 > 0 ? 1 : 0)
        return milliseconds / 1000 + (milliseconds % 1000 > 0 ? 1 : 0)
    }
}

/// Writes text into memory that suffices: whoever makes it has counted.
private struct LineWriter {
    private let buffer: UnsafeMutableBufferPointer<UInt8>
    private(set) var count = 0

    init(_ buffer: UnsafeMutableBufferPointer<UInt8>) { self.buffer = buffer }

    private mutating func put(_ byte: UInt8) {
        buffer[count] = byte
        count += 1
    }

    mutating func put(_ text: StaticString) {
        UnsafeMutableBufferPointer(rebasing: buffer[count...]).baseAddress?.initialize(from: text.utf8Start, count: text.utf8CodeUnitCount)
        count += text.utf8CodeUnitCount
    }

    mutating func put(_ text: StaticString, _ value: UInt64) {
        put(text)
        var digits = 1
        var bound: UInt64 = 10
        while value >= bound {
            digits += 1
            let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
            if overflow { break }
            bound = next
        }
        var rest = value
        for place in (count..<count + digits).reversed() {
            buffer[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        count += digits
    }

    /// `"name";first=1;second=2`.
    mutating func put(_ name: String, _ first: StaticString, _ firstValue: UInt64, _ second: StaticString, _ secondValue: UInt64) {
        put(UInt8(ascii: "\""))
        for byte in name.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { put(UInt8(ascii: "\\")) }
            // A structured string is printable ASCII (RFC 9651 §3.3.3).
            put((0x20...0x7E).contains(byte) ? byte : UInt8(ascii: "?"))
        }
        put(UInt8(ascii: "\""))
        put(first, firstValue)
        put(second, secondValue)
    }
}
