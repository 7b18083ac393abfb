import GateCore
import Testing

@testable import GateProxy

@Suite("The health of an upstream server")
struct ServerHealthTests {
    private enum Event: Sendable {
        case failed
        case succeeded
        case good
        case bad
        case passes(Int)
        case tries(Bool)
        case withdraws
    }

    private struct Scenario: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let events: [Event]
        let standing: ServerHealth.Standing
        var changes: [ServerHealth.Change] = []
        var tolerance = ServerHealth.Tolerance(failures: 3, window: .seconds(10))

        init(
            _ name: String, _ events: [Event], _ standing: ServerHealth.Standing, _ changes: [ServerHealth.Change] = [],
            failures: Int = 3
        ) {
            testDescription = name
            self.events = events
            self.standing = standing
            self.changes = changes
            tolerance.failures = failures
        }
    }

    private static func second(_ second: Int) -> MonotonicInstant { MonotonicInstant(nanoseconds: UInt64(second) * 1_000_000_000) }

    private static let scenarios = [
        Scenario("serves from the start", [], .serving),
        Scenario("two failures are forgiven", [.failed, .failed], .serving),
        Scenario("three in a row suspend it for the window", [.failed, .failed, .failed], .suspended(until: second(110)), [.left]),
        Scenario("a success between them begins the count anew", [.failed, .failed, .succeeded, .failed, .failed], .serving),
        Scenario("failures further apart than the window don't add up", [.failed, .failed, .passes(10), .failed, .failed], .serving),
        Scenario(
            "the window is counted from the first failure", [.failed, .failed, .passes(9), .failed], .suspended(until: second(119)), [.left]
        ),
        Scenario("none are counted where the limit is zero", Array(repeating: .failed, count: 20), .serving, failures: 0),
        Scenario(
            "further failures of requests that were on their way don't prolong it", [.failed, .passes(5), .failed],
            .suspended(until: second(110)), [.left], failures: 1),
        Scenario(
            "nobody tries it while it is suspended", [.failed, .passes(9), .tries(false)], .suspended(until: second(110)), [.left],
            failures: 1),
        Scenario(
            "then one tries it, and nobody else", [.failed, .passes(10), .tries(true), .tries(false)], .suspended(until: second(120)),
            [.left],
            failures: 1),
        Scenario(
            "its success brings the server back", [.failed, .passes(10), .tries(true), .succeeded], .serving, [.left, .returned],
            failures: 1),
        Scenario(
            "its failure suspends it again at once, which is no news",
            [.failed, .failed, .failed, .passes(10), .tries(true), .passes(2), .failed], .suspended(until: second(122)), [.left]),
        Scenario(
            "who gives up leaves the try to the next", [.failed, .passes(10), .tries(true), .passes(1), .withdraws, .tries(true)],
            .suspended(until: second(121)), [.left], failures: 1),
        Scenario(
            "a try that never ends is not waited for", [.failed, .passes(10), .tries(true), .passes(10), .tries(true)],
            .suspended(until: second(130)), [.left], failures: 1),
        Scenario("an answer that was on its way shows that it lives", [.failed, .succeeded], .serving, [.left, .returned], failures: 1),
        Scenario("one health check may fail", [.bad], .serving),
        Scenario("two in a row find it down", [.bad, .bad, .bad], .down, [.left]),
        Scenario("not two with a good one between them", [.bad, .good, .bad], .serving),
        Scenario("one good one finds it up", [.bad, .bad, .good], .serving, [.left, .returned]),
        Scenario(
            "what is down is not tried, whatever time passes", [.failed, .bad, .bad, .passes(60), .tries(false)], .down, [.left, .left],
            failures: 1),
        Scenario("a good one ends a suspension too", [.failed, .good], .serving, [.left, .returned], failures: 1),
        Scenario("a request's success is no health check", [.bad, .bad, .succeeded], .down, [.left]),
    ]

    @Test(arguments: scenarios)
    private func `what happens decides who is asked`(_ scenario: Scenario) {
        var health = ServerHealth()
        var now = Self.second(100)
        var changes: [ServerHealth.Change] = []
        for event in scenario.events {
            let change: ServerHealth.Change?
            switch event {
            case .failed: change = health.failed(at: now, scenario.tolerance)
            case .succeeded: change = health.succeeded()
            case .good: change = health.checked(isGood: true)
            case .bad: change = health.checked(isGood: false)
            case .passes(let seconds):
                now = now + .seconds(seconds)
                change = nil
            case .tries(let expected):
                #expect(health.beginTrial(at: now, scenario.tolerance) == expected)
                change = nil
            case .withdraws:
                health.withdrawTrial(at: now)
                change = nil
            }
            if let change { changes.append(change) }
        }
        #expect(health.standing == scenario.standing)
        #expect(changes == scenario.changes)
    }
}
