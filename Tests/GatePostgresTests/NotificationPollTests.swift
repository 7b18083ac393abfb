import GateCore
import Testing

@testable import GatePostgres

@Suite("Asking a table for news where nobody can listen")
struct NotificationPollTests {
    private static func at(_ second: UInt64) -> MonotonicInstant { MonotonicInstant(nanoseconds: second * 1_000_000_000) }

    private static func news(_ text: String) -> NotificationPoll.News {
        let parts = text.split(separator: "@")
        return .init(transaction: String(parts.last ?? ""), words: String(parts[0]))
    }

    struct Step: Sendable {
        /// The server, the mark and the news, each of which is in a transaction of its own unless `@` says in which; `nil` for a
        /// connection that is lost.
        var answer: (server: String, mark: String, news: [String])?
        var events: [NotificationEvent]
        var next: String?
        /// How much the server's clock is before ours.
        var ahead: Int64 = 0
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
                        answer: ("a", "14", ["y", "z"]), events: [.notification("y"), .notification("z"), .current(asOf: at(2))], next: "14"
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
            (
                "while a transaction is long open, the same news are told once",
                [
                    Step(answer: ("a", "10", []), events: [.began(at(0))], next: "10"),
                    Step(answer: ("a", "10", ["x@12"]), events: [.notification("x"), .current(asOf: at(1))], next: "10"),
                    Step(answer: ("a", "10", ["x@12"]), events: [.current(asOf: at(2))], next: "10"),
                    Step(
                        answer: ("a", "10", ["x@11", "y@11", "x@12"]),
                        events: [.notification("x"), .notification("y"), .current(asOf: at(3))], next: "10"),
                    Step(answer: ("a", "15", ["x@11", "y@11", "x@12"]), events: [.current(asOf: at(4))], next: "15"),
                    Step(answer: ("a", "15", ["x@16"]), events: [.notification("x"), .current(asOf: at(5))], next: "15"),
                ]
            ),
            (
                "after a pause of the whole machine, which only the server's clock shows, nothing that was remembered holds",
                [
                    Step(answer: ("a", "10", []), events: [.began(at(0))], next: "10"),
                    Step(answer: ("a", "11", ["x"]), events: [.notification("x"), .current(asOf: at(1))], next: "11", ahead: 4000),
                    Step(answer: ("a", "19", ["y"]), events: [.lost, .began(at(2))], next: "19", ahead: 8001),
                    Step(answer: ("a", "20", ["z"]), events: [.notification("z"), .current(asOf: at(3))], next: "20", ahead: 8001),
                    // The server's clock was put back.
                    Step(answer: ("a", "21", ["w"]), events: [.notification("w"), .current(asOf: at(4))], next: "21", ahead: -90_000),
                ]
            ),
        ] as [(String, [Step])])
    func events(_ name: String, _ steps: [Step]) {
        var poll = NotificationPoll()
        for (number, step) in steps.enumerated() {
            let events =
                if let answer = step.answer {
                    poll.take(
                        .init(
                            server: answer.server, moment: Int64(number) * 1000 + step.ahead, mark: answer.mark,
                            news: answer.news.map(Self.news)),
                        asked: Self.at(UInt64(number)))
                } else {
                    poll.lose()
                }
            #expect(events == step.events, "\(name), step \(number)")
            #expect(poll.mark == step.next, "\(name), step \(number)")
        }
    }
}
