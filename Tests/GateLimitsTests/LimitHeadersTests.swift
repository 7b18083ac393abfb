import GateCore
import GateLimits
import Testing

@Suite("Limit headers")
struct LimitHeadersTests {
    private static let api = LimitPolicy(name: "api", limit: 100, window: .seconds(60))
    private static let now = Timestamp(milliseconds: 1_795_132_800_250)

    private func fields(_ states: LimitState..., now: Timestamp = now) -> [String] {
        String(decoding: LimitHeaders(LimitDecision(states: states), now: now).lines, as: UTF8.self).split(separator: "\r\n").map(
            String.init)
    }

    private func state(
        _ policy: LimitPolicy, remaining: Int, admitted: Bool = true, after nanoseconds: UInt64 = 60_000_000_000
    ) -> LimitState {
        LimitState(policy: policy, remaining: remaining, isAdmitted: admitted, resetAfterNanoseconds: nanoseconds)
    }

    @Test func admitted() {
        #expect(
            fields(state(Self.api, remaining: 99)) == [
                "X-RateLimit-Limit: 100", "X-RateLimit-Remaining: 99", "X-RateLimit-Reset: 1795132861", #"RateLimit: "api";r=99;t=60"#,
                #"RateLimit-Policy: "api";q=100;w=60"#,
            ])
    }

    @Test("CHECKLIST 35: a refusal carries Retry-After, RateLimit and RateLimit-Policy")
    func refused() {
        let login = LimitPolicy(name: "login-account", limit: 5, window: .seconds(900))
        #expect(
            fields(state(Self.api, remaining: 7), state(login, remaining: 0, admitted: false, after: 419_000_000_001)) == [
                "X-RateLimit-Limit: 5", "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 1795133220",
                #"RateLimit: "login-account";r=0;t=420"#, #"RateLimit-Policy: "api";q=100;w=60, "login-account";q=5;w=900"#,
                "Retry-After: 420",
            ])
    }

    @Test("The headers tell of the tightest") func tightest() {
        let five = LimitPolicy(name: "five", limit: 5, window: .seconds(1))
        let hour = LimitPolicy(name: "hour", limit: 3, window: .seconds(3600))
        let cases: [([LimitState], String)] = [
            ([state(Self.api, remaining: 50), state(five, remaining: 4)], "five"),
            ([state(five, remaining: 4), state(Self.api, remaining: 4, after: 2)], "five"),
            ([state(Self.api, remaining: 4, after: 2), state(five, remaining: 4)], "five"),
            ([state(five, remaining: 0), state(hour, remaining: 0, admitted: false, after: 1)], "hour"),
            ([state(five, remaining: 0, admitted: false, after: 5), state(hour, remaining: 0, admitted: false, after: 9)], "hour"),
            ([state(hour, remaining: 0, admitted: false, after: 9), state(five, remaining: 0, admitted: false, after: 5)], "hour"),
        ]
        for (states, name) in cases {
            #expect(LimitDecision(states: states).tightest.policy.name == name)
        }
    }

    @Test(
        "CHECKLIST 56: Retry-After is rounded up, and never zero",
        arguments: [(1, 1), (999_999_999, 1), (1_000_000_000, 1), (1_000_000_001, 2)])
    func roundsUp(nanoseconds: UInt64, seconds: Int) {
        #expect(fields(state(Self.api, remaining: 0, admitted: false, after: nanoseconds)).last == "Retry-After: \(seconds)")
    }

    @Test func oddNamesStayStructuredStrings() {
        let odd = LimitPolicy(name: "a\"b\\c\u{e9}\r\n", limit: 1_000_000_000, window: .milliseconds(1500))
        #expect(fields(state(odd, remaining: 3)).contains(#"RateLimit: "a\"b\\c????";r=3;t=60"#))
        #expect(fields(state(odd, remaining: 3)).contains(#"RateLimit-Policy: "a\"b\\c????";q=1000000000;w=2"#))
    }

    @Test("Numbers of any length", arguments: [0, 9, 10, 99, 100, 1_000_000_000]) func numbers(_ number: Int) {
        let wide = LimitPolicy(name: "wide", limit: 1_000_000_000, window: .seconds(60))
        #expect(fields(state(wide, remaining: number))[1] == "X-RateLimit-Remaining: \(number)")
        #expect(
            fields(state(wide, remaining: number, after: UInt64(number) * 1_000_000_000))[3]
                == "RateLimit: \"wide\";r=\(number);t=\(number)")
    }

    @Test func aClockBeforeTheEpochDoesNotFail() {
        #expect(fields(state(Self.api, remaining: 3), now: Timestamp(seconds: -5))[2] == "X-RateLimit-Reset: 60")
    }
}
