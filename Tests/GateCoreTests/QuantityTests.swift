import GateCore
import Testing

@Suite("Durations and byte sizes as configuration writes them")
struct QuantityTests {
    @Test(arguments: [
        ("0s", 0, "0s"), ("500ms", 500, "500ms"), ("30s", 30_000, "30s"), ("15m", 900_000, "15m"), ("12h", 43_200_000, "12h"),
        ("30d", 2_592_000_000, "30d"), ("1h30m", 5_400_000, "1h30m"), ("90m", 5_400_000, "1h30m"), ("1d1ms", 86_400_001, "1d1ms"),
        ("1m500ms", 60_500, "1m500ms"), ("000001s", 1000, "1s"), ("24h", 86_400_000, "1d"), ("365000d", 31_536_000_000_000, "365000d"),
    ])
    func durations(text: String, milliseconds: Int64, shortest: String) {
        let duration = Duration(text: text)
        #expect(duration == .milliseconds(milliseconds))
        #expect(duration?.text == shortest)
        #expect(Duration(text: shortest) == duration)
    }

    @Test(arguments: [
        "", " ", "5", "s", "-5s", "+5s", "1.5h", "5 s", "5s ", " 5s", "5S", "5min", "1m1h", "1m1m", "5sec", "1h30", "h1", "365001d",
        "99999999999999999999s", "9223372036854775807d", "٣s", "1s\u{301}", "1\u{301}s", "1µs", "ms", "1\0s",
    ])
    func refusedDurations(text: String) {
        #expect(Duration(text: text) == nil)
    }

    @Test func wholeUnits() {
        #expect(Duration.microseconds(1999).wholeMilliseconds == 1)
        #expect(Duration.microseconds(-1999).wholeMilliseconds == -1)
        #expect(Duration.microseconds(-1999).wholeNanoseconds == -1_999_000)
        #expect(Duration.seconds(Int64.max).wholeMilliseconds == .max)
        #expect(Duration.seconds(Int64.min).wholeNanoseconds == .min)
        #expect(Duration.milliseconds(Int64.max).wholeMilliseconds == .max)
        #expect(Duration.nanoseconds(Int64.min).wholeNanoseconds == .min)
        for (milliseconds, seconds) in [(0, 0), (1, 1), (1000, 1), (1001, 2), (-1, 0), (-1500, -1)] as [(Int64, Int64)] {
            #expect(Duration.milliseconds(milliseconds).secondsRoundedUp == seconds)
        }
        #expect(Duration.nanoseconds(1).secondsRoundedUp == 1)
    }

    @Test(arguments: [
        ("0", 0, "0B"), ("512", 512, "512B"), ("1B", 1, "1B"), ("64KiB", 65_536, "64KiB"), ("1MiB", 1 << 20, "1MiB"),
        ("5GiB", 5 << 30, "5GiB"), ("2TiB", 2 << 40, "2TiB"), ("10MB", 10_000_000, "10MB"), ("1kB", 1000, "1kB"),
        ("1GB", 1_000_000_000, "1GB"),
        ("1TB", 1_000_000_000_000, "1TB"), ("1024", 1024, "1KiB"), ("1024KiB", 1 << 20, "1MiB"), ("1500B", 1500, "1500B"),
    ])
    func byteSizes(text: String, bytes: Int, shortest: String) {
        #expect(ByteSize(text: text) == ByteSize(bytes: bytes))
        #expect(ByteSize(bytes: bytes).description == shortest)
        #expect(ByteSize(text: shortest) == ByteSize(bytes: bytes))
    }

    @Test(arguments: [
        "", "B", "KiB", "-1", "+1", "1 MiB", "1mib", "1M", "1K", "1.5MiB", "9223372036854775808", "9223372036854775807KiB", "٣MiB", "1MiBs",
        "1\0",
    ])
    func refusedByteSizes(text: String) {
        #expect(ByteSize(text: text) == nil)
    }

    @Test func byteSizesCompare() { #expect(ByteSize(bytes: 1) < ByteSize(bytes: 2)) }
}
