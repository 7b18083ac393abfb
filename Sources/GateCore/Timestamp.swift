/// A moment of the wall clock: milliseconds since 1970-01-01T00:00:00Z, the unit in which the database stores times.
///
/// Arithmetic stops at the ends of 64 bits rather than trap: times come from tokens and databases too.
package struct Timestamp: Hashable, Comparable, Sendable {
    package var milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }
    package init(seconds: Int64) { self.milliseconds = Duration.seconds(seconds).wholeMilliseconds }

    /// Whole seconds since the epoch, rounded down: the unit of JWT claims (RFC 7519 §2, NumericDate).
    package var seconds: Int64 { floorDivide(milliseconds, 1000) }

    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }
    package static func + (left: Timestamp, right: Duration) -> Timestamp {
        Timestamp(milliseconds: left.milliseconds.saturatingAdding(right.wholeMilliseconds))
    }
    package static func - (left: Timestamp, right: Duration) -> Timestamp {
        Timestamp(milliseconds: left.milliseconds.saturatingSubtracting(right.wholeMilliseconds))
    }
    package static func - (left: Timestamp, right: Timestamp) -> Duration {
        .milliseconds(left.milliseconds.saturatingSubtracting(right.milliseconds))
    }
}

extension Timestamp {
    /// `2026-11-20T09:30:00.123Z` (RFC 3339 §5.6, UTC, milliseconds). Years are four digits: those outside show as 0000 and 9999.
    package var rfc3339: String {
        String(unsafeUninitializedCapacity: 24) { buffer in
            writeRFC3339(to: buffer)
            return 24
        }
    }

    /// Appends the 24 bytes of ``rfc3339`` to `bytes`.
    package func appendRFC3339(to bytes: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 24) { buffer in
            writeRFC3339(to: buffer)
            bytes.append(contentsOf: buffer)
        }
    }

    private func writeRFC3339(to buffer: UnsafeMutableBufferPointer<UInt8>) {
        let date = CivilDate(daysSinceEpoch: Int(floorDivide(milliseconds, 86_400_000)))
        let inDay = Int(floorRemainder(milliseconds, 86_400_000))
        func digits(_ value: Int, _ count: Int, at index: Int) {
            var rest = value
            for place in stride(from: index + count - 1, through: index, by: -1) {
                buffer[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
        }
        digits(min(max(date.year, 0), 9999), 4, at: 0)
        buffer[4] = UInt8(ascii: "-")
        digits(date.month, 2, at: 5)
        buffer[7] = UInt8(ascii: "-")
        digits(date.day, 2, at: 8)
        buffer[10] = UInt8(ascii: "T")
        digits(inDay / 3_600_000, 2, at: 11)
        buffer[13] = UInt8(ascii: ":")
        digits(inDay / 60_000 % 60, 2, at: 14)
        buffer[16] = UInt8(ascii: ":")
        digits(inDay / 1000 % 60, 2, at: 17)
        buffer[19] = UInt8(ascii: ".")
        digits(inDay % 1000, 3, at: 20)
        buffer[23] = UInt8(ascii: "Z")
    }

    /// `Fri, 20 Nov 2026 09:30:00 GMT`, the form of HTTP's `Date` (IMF-fixdate, RFC 9110 §5.6.7).
    package var httpDate: String {
        let days = floorDivide(seconds, 86_400)
        let date = CivilDate(daysSinceEpoch: Int(days))
        let inDay = Int(floorRemainder(seconds, 86_400))
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][Int(floorRemainder(days, 7))]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let year = min(max(date.year, 0), 9999)
        return "\(weekday), \(two(date.day)) \(months[date.month - 1]) \(two(year / 100))\(two(year % 100)) "
            + "\(two(inDay / 3600)):\(two(inDay / 60 % 60)):\(two(inDay % 60)) GMT"
    }
}

private func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 { value / divisor - (value % divisor < 0 ? 1 : 0) }

private func floorRemainder(_ value: Int64, _ divisor: Int64) -> Int64 { value % divisor + (value % divisor < 0 ? divisor : 0) }

extension Int64 {
    fileprivate func saturatingAdding(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }

    fileprivate func saturatingSubtracting(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : difference
    }
}

/// A day of the proleptic Gregorian calendar, by Howard Hinnant's `civil_from_days`.
private struct CivilDate {
    var year: Int
    var month: Int
    var day: Int

    init(daysSinceEpoch: Int) {
        let shifted = daysSinceEpoch + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }
}
