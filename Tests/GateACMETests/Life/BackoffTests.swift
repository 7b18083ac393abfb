import GateCore
import GateTesting
import Testing

@testable import GateACME

@Suite("Backing off")
struct BackoffTests {
    private static func moment(_ seconds: Int) -> Moment {
        Moment(
            wall: Timestamp(seconds: 1_800_000_000 + Int64(seconds)),
            monotonic: MonotonicInstant(nanoseconds: 0) + .hours(5) + .seconds(seconds))
    }

    @Test("CHECKLIST 37: 1 min, 10 min, 100 min, then at most one a day")
    func delays() {
        let minutes = (0...8).map { Backoff.delay(afterFailures: $0, draw: 0).components.seconds / 60 }
        #expect(minutes == [0, 1, 10, 100, 1000, 1440, 1440, 1440, 1440])
        #expect(Backoff.delay(afterFailures: 1, isWorthRetrying: false, draw: 0) == .days(1))
        for failures in 1...9 {
            let (least, most) = (Backoff.delay(afterFailures: failures, draw: 0), Backoff.delay(afterFailures: failures, draw: 0.999))
            #expect(most > least && most < least * 1.1 && most <= Backoff.longest)
        }
    }

    @Test(
        "CHECKLIST 37: the wait outlives the process, neither skipped nor prolonged by a clock that was set",
        arguments: [
            (Duration.seconds(0), Duration.minutes(100)), (.minutes(40), .minutes(60)), (.days(3), .zero), (.days(-400), .minutes(1584)),
        ] as [(Duration, Duration)])
    func acrossRestarts(clockMoves: Duration, expected: Duration) throws {
        var history = AttemptHistory()
        let before = Self.moment(0)
        for _ in 0..<3 { history.fail(.notProven, directory: "https://ca.test/d", wasRehearsal: false, at: before, draw: 0) }
        // Another boot: the monotonic clock began anew.
        let after = Moment(wall: before.wall + clockMoves, monotonic: MonotonicInstant(nanoseconds: 17))
        let again = AttemptHistory(json: try JSON(parsing: history.json(at: before).bytes), at: after)
        #expect(again.pause?.since(after.monotonic) == expected)
        #expect(again.failures == 3)
        #expect(again.problem == history.problem)
    }

    @Test("An attempt cut off by the end of the process is resumed twice at once, then it counts as failed")
    func interruptions() {
        var history = AttemptHistory()
        for expected in [false, false, true, true] {
            history.begin()
            history = AttemptHistory(json: history.json(at: Self.moment(0)), at: Self.moment(1))
            #expect(history.isBegun)
            history.interrupt(at: Self.moment(1).monotonic, draw: 0)
            #expect((history.pause.map { $0 > Self.moment(1).monotonic } ?? false) == expected)
        }
        #expect(history.failures == 2)
        history.begin()
        history.abandon()
        #expect(AttemptHistory(json: history.json(at: Self.moment(2)), at: Self.moment(2)).failures == 2)
    }

    @Test(
        "A history of nonsense is an empty one",
        arguments: ["null", "[]", "{}", #"{"failures":-3,"pause":"x","blocks":[1],"problem":7}"#, #"{"failures":9223372036854775807}"#])
    func nonsense(text: String) throws {
        let history = AttemptHistory(json: try JSON(parsing: Array(text.utf8)), at: Self.moment(0))
        #expect(history.pause == nil && history.blocks.isEmpty && history.problem == nil && history.failures >= 0)
    }

    @Test("CHECKLIST 37: fewer than five failures of a name in any hour, over all certificates, restarts included")
    func namesInAnHour() {
        var failures = NameFailures()
        for minute in [0, 5, 10, 15] {
            #expect(failures.allowed(["a.test"], at: Self.moment(minute * 60).monotonic) == Self.moment(minute * 60).monotonic)
            failures.record(["a.test", "b\(minute).test"], at: Self.moment(minute * 60).monotonic)
        }
        let now = Self.moment(16 * 60)
        #expect(failures.allowed(["b0.test"], at: now.monotonic) == now.monotonic)
        #expect(failures.allowed(["b0.test", "a.test"], at: now.monotonic) == Self.moment(3600).monotonic)
        let again = NameFailures(json: failures.json(at: now), at: now)
        #expect(again.allowed(["a.test"], at: now.monotonic) == Self.moment(3600).monotonic)
        #expect(failures.allowed(["a.test"], at: Self.moment(3600).monotonic) == Self.moment(3600).monotonic)
    }
}
