import GateCore
import Testing

@Suite("Timestamps")
struct TimestampTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
        (-1, "1969-12-31T23:59:59.999Z", "Wed, 31 Dec 1969 23:59:59 GMT"),
        (784_111_777_000, "1994-11-06T08:49:37.000Z", "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_400_123, "2000-02-29T00:00:00.123Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
        (1_709_251_199_999, "2024-02-29T23:59:59.999Z", "Thu, 29 Feb 2024 23:59:59 GMT"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z", "Mon, 01 Mar 2100 00:00:00 GMT"),
        (-62_135_596_800_000, "0001-01-01T00:00:00.000Z", "Mon, 01 Jan 0001 00:00:00 GMT"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z", "Fri, 31 Dec 9999 23:59:59 GMT"),
    ])
    func text(milliseconds: Int64, rfc3339: String, httpDate: String) {
        let time = Timestamp(milliseconds: milliseconds)
        #expect(time.rfc3339 == rfc3339)
        #expect(time.httpDate == httpDate)
        var bytes = Array("x".utf8)
        time.appendRFC3339(to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "x" + rfc3339)
    }

    @Test("CHECKLIST 52: no time is too early or too late to be written", arguments: [Int64.min, .min + 1, -1, 0, .max - 1, .max])
    func extremes(milliseconds: Int64) {
        let time = Timestamp(milliseconds: milliseconds)
        #expect(time.rfc3339.utf8.count == 24)
        #expect(time.httpDate.utf8.count == 29)
        #expect((time + .seconds(Int64.max)).milliseconds >= milliseconds)
        #expect((time - .seconds(Int64.max)).milliseconds <= milliseconds)
        #expect((time - Timestamp(milliseconds: .max)) <= .zero)
        #expect((time - Timestamp(milliseconds: .min)) >= .zero)
    }

    @Test func secondsRoundDown() {
        for (milliseconds, seconds) in [(0, 0), (999, 0), (1000, 1), (-1, -1), (-1000, -1), (-1001, -2)] as [(Int64, Int64)] {
            #expect(Timestamp(milliseconds: milliseconds).seconds == seconds)
        }
        #expect(Timestamp(seconds: 5).milliseconds == 5000)
        #expect(Timestamp(seconds: .max).milliseconds == .max)
        #expect(Timestamp(milliseconds: .min).seconds == .min / 1000 - 1)
    }

    @Test func everyDayOfFourCenturiesFollowsTheOneBefore() {
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        var (year, month, day) = (1970, 1, 1)
        for days in 0..<146_097 as Range<Int64> {
            let text = Timestamp(seconds: days * 86_400).rfc3339.utf8
            let number = text.prefix(10).reduce(0) { (0x30...0x39).contains($1) ? $0 * 10 + Int($1) - 0x30 : $0 }
            guard number == year * 10_000 + month * 100 + day else {
                Issue.record("day \(days): \(text) is not \(year)-\(month)-\(day)")
                return
            }
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            day += 1
            if day > lengths[month - 1] + (month == 2 && isLeap ? 1 : 0) { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
    }
}

@Suite("The monotonic clock")
struct MonotonicInstantTests {
    @Test func differences() {
        let instant = MonotonicInstant(nanoseconds: 10)
        #expect((instant + .nanoseconds(5)).since(instant) == .nanoseconds(5))
        #expect(instant.since(instant + .nanoseconds(5)) == .zero)
        #expect(instant + .seconds(-1) == instant)
    }

    @Test("CHECKLIST 52: the ends of the clock are no trap")
    func extremes() {
        let (start, end) = (MonotonicInstant(nanoseconds: 0), MonotonicInstant(nanoseconds: .max))
        #expect(end.since(start) == .nanoseconds(Int64.max))
        #expect(end + .seconds(1) == end)
        #expect(start + .seconds(Int64.max) < end)
    }

    @Test func theSystemsNeverGoesBack() {
        let time = SystemTime()
        var last = time.monotonic()
        for _ in 0..<10_000 {
            let now = time.monotonic()
            #expect(now >= last)
            last = now
        }
        #expect(time.now() > Timestamp(seconds: 1_700_000_000))
    }
}
