import GateCore
import Testing

@testable import GatePostgres

@Suite("Asking a table for news where nobody can listen")
struct NotificationPollTests {
    private static func at(_ second: UInt64) -> MonotonicInstant { MonotonicInstant(nanoseconds: second * 1_000_000_000) }

    struct Step: Sendable {
        /// The server, the mark and the news; `nil` for a connection that is lost.
        var answer: (server: String, mark: String, news: [String])?
        var events: [NotificationEvent]
        var next: String?
    }

    @Test(
        "what is told, and from where it is asked on",
        arguments: [
            (
                "news are told, and vouched for as of the question",
                [
                    Step(answer: ("a", "10", []), events: [.began(at(0))], next: "10"),
                    Step(answer: ("a", "10", ["x"]), events: [.notification("x"), .current(asOf: at(1))], next: "10"),
                    Step(
                        answer: ("a", "14", ["x", "y"]), events: [.notification("x"), .notification("y"), .current(asOf: at(2))], next: "14"
                    ),
                    Step(answer: ("a", "14", []), events: [.current(asOf: at(3))], next: "14"),
                ]
            ),
            (
                "a promoted standby, or a restart, is a loss",
                [
                    Step(answer: ("a", "10", []), events: [.began(at(0))], next: "10"),
                    Step(answer: ("b", "8", ["x"]), events: [.lost, .began(at(1))], next: "8"),
                    Step(answer: ("b", "9", ["y"]), events: [.notification("y"), .current(asOf: at(2))], next: "9"),
                ]
            ),
            (
                "a lost connection is told once, and what comes then is a beginning",
                [
                    Step(answer: nil, events: []),
                    Step(answer: ("a", "10", []), events: [.began(at(1))], next: "10"),
                    Step(answer: nil, events: [.lost]), Step(answer: nil, events: []),
                    Step(answer: ("a", "12", ["x"]), events: [.began(at(4))], next: "12"),
                ]
            ),
            (
                "of too many news everything is to be read",
                [
                    Step(answer: ("a", "10", []), events: [.began(at(0))], next: "10"),
                    Step(
                        answer: ("a", "12", Array(repeating: "x", count: NotificationPoll.limit)), events: [.lost, .began(at(1))],
                        next: "12"),
                ]
            ),
        ] as [(String, [Step])])
    func events(_ name: String, _ steps: [Step]) {
        var poll = NotificationPoll()
        for (number, step) in steps.enumerated() {
            let events =
                if let answer = step.answer {
                    poll.take(.init(server: answer.server, mark: answer.mark, news: answer.news), asked: Self.at(UInt64(number)))
                } else {
                    poll.lose()
                }
            #expect(events == step.events, "\(name), step \(number)")
            #expect(poll.mark == step.next, "\(name), step \(number)")
        }
    }
}
