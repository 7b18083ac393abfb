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

    /// Calls `body` with the name and value of each field. What is short, as most values are, allocates nothing.
    package func forEach(_ body: (_ name: String, _ value: String) -> Void) {
        let tightest = decision.tightest
        let reset = Self.secondsRoundedUp(tightest.resetAfterNanoseconds)
        body("X-RateLimit-Limit", Self.decimal(UInt64(tightest.policy.limit)))
        body("X-RateLimit-Remaining", Self.decimal(UInt64(tightest.remaining)))
        body("X-RateLimit-Reset", Self.decimal(Self.epochSeconds(now, after: tightest.resetAfterNanoseconds)))
        body("RateLimit", Self.item(tightest.policy.name, "r", UInt64(tightest.remaining), "t", reset))
        body("RateLimit-Policy", policies)
        if !decision.isAdmitted { body("Retry-After", Self.decimal(max(1, reset))) }
    }

    /// The same as a list.
    package var fields: [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        fields.reserveCapacity(6)
        forEach { fields.append(($0, $1)) }
        return fields
    }

    private var policies: String {
        var text = ""
        for state in decision.states {
            let window = (state.policy.windowTicks + 999) / 1000
            let item = Self.item(state.policy.name, "q", UInt64(state.policy.limit), "w", window)
            if text.isEmpty {
                text = item
            } else {
                text += ", "
                text += item
            }
        }
        return text
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

    private static func decimal(_ value: UInt64) -> String {
        let count = digits(value)
        return String(unsafeUninitializedCapacity: count) { buffer in
            write(value, digits: count, to: buffer, at: 0)
            return count
        }
    }

    /// `"name";first=1;second=2`.
    private static func item(
        _ name: String, _ first: Unicode.Scalar, _ firstValue: UInt64, _ second: Unicode.Scalar, _ secondValue: UInt64
    ) -> String {
        let firstDigits = digits(firstValue)
        let secondDigits = digits(secondValue)
        let escapes = name.utf8.count { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
        // The exact size: up to 15 bytes a string lies in place, asked for more it takes memory whatever it then holds.
        return String(unsafeUninitializedCapacity: name.utf8.count + escapes + 8 + firstDigits + secondDigits) { buffer in
            var place = 0
            func put(_ byte: UInt8) {
                buffer[place] = byte
                place += 1
            }
            func parameter(_ key: Unicode.Scalar, _ value: UInt64, _ digits: Int) {
                put(UInt8(ascii: ";"))
                put(UInt8(ascii: key))
                put(UInt8(ascii: "="))
                write(value, digits: digits, to: buffer, at: place)
                place += digits
            }
            put(UInt8(ascii: "\""))
            for byte in name.utf8 {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { put(UInt8(ascii: "\\")) }
                // A structured string is printable ASCII (RFC 9651 §3.3.3).
                put((0x20...0x7E).contains(byte) ? byte : UInt8(ascii: "?"))
            }
            put(UInt8(ascii: "\""))
            parameter(first, firstValue, firstDigits)
            parameter(second, secondValue, secondDigits)
            return place
        }
    }

    private static func digits(_ value: UInt64) -> Int {
        var count = 1
        var rest = value / 10
        while rest > 0 {
            count += 1
            rest /= 10
        }
        return count
    }

    private static func write(_ value: UInt64, digits: Int, to buffer: UnsafeMutableBufferPointer<UInt8>, at place: Int) {
        var rest = value
        for index in stride(from: place + digits - 1, through: place, by: -1) {
            buffer[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }
}
