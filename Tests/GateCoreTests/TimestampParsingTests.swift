import GateCore
import Testing

@Suite("Times as others write them")
struct TimestampParsingTests {
    @Test(
        "RFC 3339",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2026-11-20T09:30:00Z", 1_795_167_000_000), ("2026-11-20T09:30:00.123Z", 1_795_167_000_123),
            ("2026-11-20T09:30:00.1Z", 1_795_167_000_100), ("2026-11-20T09:30:00.123999999Z", 1_795_167_000_123),
            ("2026-11-20t10:30:00+01:00", 1_795_167_000_000), ("2026-11-20 04:00:00-05:30", 1_795_167_000_000),
            ("2024-02-29T00:00:00Z", 1_709_164_800_000), ("1969-12-31T23:59:59.999Z", -1), ("2016-12-31T23:59:60Z", 1_483_228_800_000),
            ("0000-03-01T00:00:00Z", -62_162_035_200_000), ("9999-12-31T23:59:59Z", 253_402_300_799_000),
        ]) func rfc3339(text: String, milliseconds: Int64)
    {
        #expect(Timestamp(rfc3339: text)?.milliseconds == milliseconds)
    }

    @Test(
        "what is no RFC 3339",
        arguments: [
            "", "2026-11-20", "2026-11-20T09:30:00", "2026-11-20T09:30Z", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z",
            "2026-11-31T00:00:00Z", "2026-00-10T00:00:00Z", "2026-11-00T00:00:00Z", "2026-11-20T24:00:00Z", "2026-11-20T09:60:00Z",
            "2026-11-20T09:30:61Z", "2026-11-20T09:30:00.Z", "2026-11-20T09:30:00+24:00", "2026-11-20T09:30:00+0100",
            "2026-11-20T09:30:00Z ", "+026-11-20T09:30:00Z", "２０２６-11-20T09:30:00Z",
        ]) func notRFC3339(text: String)
    {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test("what is written reads back, on days of eight centuries") func roundTrip() {
        for day in stride(from: Int64(-140_000), to: 150_000, by: 7) {
            let time = Timestamp(milliseconds: day * 86_400_000 + (day & 0xFFFF) * 997)
            guard Timestamp(rfc3339: time.rfc3339) == time else {
                Issue.record("\(time.rfc3339)")
                return
            }
        }
    }

    @Test("HTTP's date") func httpDate() {
        let time = Timestamp(seconds: 1_795_167_000)
        #expect(Timestamp(httpDate: "Fri, 20 Nov 2026 09:30:00 GMT") == time)
        #expect(Timestamp(httpDate: time.httpDate) == time)
        for text in [
            "", "Fri, 20 Nov 2026 09:30:00", "Fri, 20 Nov 2026 09:30:00 UTC", "Friday, 20-Nov-26 09:30:00 GMT", "Fri Nov 20 09:30:00 2026",
            "Fri, 31 Nov 2026 09:30:00 GMT", "Fri, 20 nov 2026 09:30:00 GMT", "Fri, 20 Nov 2026 9:30:00 GMT",
        ] {
            #expect(Timestamp(httpDate: text) == nil, "\(text)")
        }
    }
}
