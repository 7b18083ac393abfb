import GateLimits
import Testing

@Suite("Log-in backoff")
struct LoginBackoffTests {
    @Test(
        "CHECKLIST 26: each further failure waits longer, and never for good",
        arguments: [
            (0, nil), (1, nil), (4, nil), (5, 30), (6, 60), (7, 120), (8, 240), (9, 480), (10, 960), (11, 1920), (12, 3600), (13, 3600),
            (1000, 3600), (Int.max, 3600), (Int.min, nil),
        ] as [(Int, Int?)])
    func ladder(failures: Int, seconds: Int?) {
        #expect(LoginBackoff().wait(failures: failures, sinceLast: .zero) == seconds.map { .seconds($0) })
    }

    @Test func waitingPaysTheStepOff() {
        let backoff = LoginBackoff()
        #expect(backoff.wait(failures: 6, sinceLast: .seconds(59)) == .seconds(1))
        #expect(backoff.wait(failures: 6, sinceLast: .milliseconds(59_999)) == .milliseconds(1))
        #expect(backoff.wait(failures: 6, sinceLast: .seconds(60)) == nil)
    }

    @Test("Failures are forgotten after a day") func forgets() {
        let backoff = LoginBackoff(longestWait: .seconds(10 * 86_400))
        #expect(backoff.wait(failures: 40, sinceLast: .seconds(86_399)) == .seconds(9 * 86_400 + 1))
        #expect(backoff.wait(failures: 40, sinceLast: .seconds(86_400)) == nil)
        #expect(!backoff.isForgotten(sinceLast: .seconds(86_399)))
        #expect(backoff.isForgotten(sinceLast: .seconds(86_400)))
    }

    @Test("CHECKLIST 52: a clock set back by ten years makes nobody wait longer than the step")
    func clockSetBack() {
        #expect(LoginBackoff().wait(failures: 5, sinceLast: .seconds(-3650 * 86_400)) == .seconds(30))
        #expect(LoginBackoff().wait(failures: 1, sinceLast: .seconds(-3650 * 86_400)) == nil)
    }

    @Test func oddParametersStayInBounds() {
        #expect(LoginBackoff(firstWait: .seconds(90), longestWait: .seconds(60)).step(failures: 5) == .seconds(60))
        #expect(LoginBackoff(firstWait: .zero).wait(failures: 1_000_000, sinceLast: .zero) == nil)
        #expect(LoginBackoff(freeFailures: 0, firstWait: .nanoseconds(1)).step(failures: 200) == .seconds(3600))
        #expect(LoginBackoff(freeFailures: -5).step(failures: Int.max) == .seconds(3600))
    }
}
