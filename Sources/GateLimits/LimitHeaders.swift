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
        var room = LineWriter.roomForFixedText + tightest.policy.quota.count * 2
        for state in decision.several { room += 2 + state.policy.quota.count }
        // By way of the stack: an array made with room to be filled asks for its type's metadata, which costs more than all the rest.
        return withUnsafeTemporaryAllocation(byteCount: room, alignment: 1) { buffer in
            var lines = LineWriter(buffer)
            lines.put(tightest.policy.limitLine)
            lines.put(UInt64(tightest.remaining))
            lines.put("\r\nX-RateLimit-Reset: ", Self.epochSeconds(now, after: tightest.resetAfterNanoseconds))
            lines.put("\r\nRateLimit: ")
            lines.put(tightest.policy.quotedName)
            lines.put(";r=", UInt64(tightest.remaining))
            lines.put(";t=", reset)
            lines.put("\r\nRateLimit-Policy: ")
            if decision.several.isEmpty {
                lines.put(tightest.policy.quota)
            } else {
                for (index, state) in decision.several.enumerated() {
                    if index > 0 { lines.put(", ") }
                    lines.put(state.policy.quota)
                }
            }
            if !decision.isAdmitted { lines.put("\r\nRetry-After: ", max(1, reset)) }
            lines.put("\r\n")
            return lines.written
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
    /// More than the texts of ``LimitHeaders/lines`` and six numbers of twenty digits take.
    static let roomForFixedText = 288

    private let start: UnsafeMutableRawPointer
    private var count = 0

    init(_ buffer: UnsafeMutableRawBufferPointer) { start = buffer.baseAddress! }

    var written: [UInt8] { Array(UnsafeRawBufferPointer(start: start, count: count)) }

    mutating func put(_ text: StaticString) {
        (start + count).copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
        count += text.utf8CodeUnitCount
    }

    mutating func put(_ text: UnsafeBufferPointer<UInt8>) {
        (start + count).copyMemory(from: text.baseAddress!, byteCount: text.count)
        count += text.count
    }

    mutating func put(_ text: StaticString, _ value: UInt64) {
        put(text)
        put(value)
    }

    mutating func put(_ value: UInt64) {
        var digits = 1
        var bound: UInt64 = 10
        while digits < 20, value >= bound {
            digits += 1
            bound &*= 10
        }
        count += digits
        var place = start + count
        var rest = value
        repeat {
            let tenth = rest / 10
            place -= 1
            place.storeBytes(of: UInt8(ascii: "0") | UInt8(truncatingIfNeeded: rest &- tenth &* 10), as: UInt8.self)
            rest = tenth
        } while rest > 0
    }
}
