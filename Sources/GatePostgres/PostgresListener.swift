package import GateCore
import GateSQL
import Glibc
import Logging
import Synchronization

/// What somebody is told who listens on a channel.
package enum NotificationEvent: Hashable, Sendable {
    /// From that moment on nothing is missed, until `.lost`.
    case began(MonotonicInstant)
    case notification(String)
    /// Everything that was committed by that moment has been told.
    case current(asOf: MonotonicInstant)
    /// The connection is gone.
    case lost
}

extension PostgresDatabase {
    /// Listens on a channel (`LISTEN`, PostgreSQL manual) by a connection and a thread of its own, until the task is cancelled; connects
    /// again by itself.
    ///
    /// The server is asked a few times a second whether it is there. It tells what was committed before it answers, so each answer vouches
    /// for all that had been committed when it was asked for. Behind a pooler that hands connections on after each transaction nobody
    /// can listen: that is noticed, the log says it once, and `question` is asked as often instead, see ``NotificationPoll``. Without one
    /// `.began` is never told.
    ///
    /// - Parameter follower: called from that thread, one event after the other.
    package func listen(
        _ channel: StaticString, orAsk question: StaticString? = nil, _ follower: @escaping @Sendable (NotificationEvent) -> Void
    ) async {
        let listener = PostgresListener(pool, channel: "\(channel)", question: question, follower: follower)
        let thread = DatabaseThread(name: "postgres-listen") { listener.run() }
        await withTaskCancellationHandler {
            await thread.join()
        } onCancel: {
            listener.stop()
        }
    }
}

private final class PostgresListener: Sendable {
    private let pool: PostgresPool
    private let channel: String
    private let question: StaticString?
    private let follower: @Sendable (NotificationEvent) -> Void
    private let isStopped = Atomic(false)

    init(
        _ pool: PostgresPool, channel: String, question: StaticString?, follower: @escaping @Sendable (NotificationEvent) -> Void
    ) {
        self.pool = pool
        self.channel = channel
        self.question = question
        self.follower = follower
    }

    /// Between two questions whether the server is there.
    private static let interval = Duration.milliseconds(200)
    /// For its answer.
    private static let patience = Duration.milliseconds(800)
    private static let longestPause = Duration.seconds(1)
    /// How long the table is asked before listening is tried again.
    private static let askingTime = Duration.seconds(60)

    func stop() { isStopped.store(true, ordering: .releasing) }

    private var now: MonotonicInstant { pool.time.monotonic() }
    private var goesOn: Bool { !isStopped.load(ordering: .acquiring) }

    func run() {
        var pause = Duration.milliseconds(50)
        var complained = false
        while goesOn {
            do throws(PostgresFailure) {
                let connection: PostgresConnection
                do throws(StorageError) { connection = try pool.connect() } catch { throw PostgresFailure(error) }
                // Who listens notices first that the server hangs.
                defer { if connection.isSilent { pool.condition.distrust(at: now) } }
                if try canListen(connection, &complained) {
                    pause = .milliseconds(50)
                    try follow(connection)
                } else if let question {
                    pause = .milliseconds(50)
                    try ask(question, connection)
                } else {
                    pause = Self.longestPause
                    rest(pause)
                }
            } catch {
                rest(pause)
                pause = min(pause * 2, Self.longestPause)
            }
        }
    }

    private func canListen(_ connection: PostgresConnection, _ complained: inout Bool) throws(PostgresFailure) -> Bool {
        do throws(PostgresFailure) {
            try connection.run(script: "LISTEN \(channel)", until: now + Self.patience)
            try proveThatItIsHeard(connection)
            return true
        } catch {
            guard case .misuse = error.error, !connection.isBroken else { throw error }
            if !complained {
                pool.log.warning(
                    "Nobody can listen here, so \(question == nil ? "each request asks" : "this server asks") the database",
                    metadata: ["reason": "\(error.error)"])
                complained = true
            }
            return false
        }
    }

    /// One connection's life.
    private func follow(_ connection: PostgresConnection) throws(PostgresFailure) {
        follower(.began(now))
        defer { follower(.lost) }
        while goesOn {
            let asked = now
            try connection.run(script: "SELECT 1", until: asked + Self.patience)
            try tell(connection)
            follower(.current(asOf: asked))
            while goesOn, PostgresConnection.poll(connection.socket, Int16(POLLIN), until: asked + Self.interval, pool.time) {
                try tell(connection)
            }
        }
    }

    /// The same by asking, for a while.
    private func ask(_ question: StaticString, _ connection: PostgresConnection) throws(PostgresFailure) {
        var poll = NotificationPoll()
        defer { for event in poll.lose() { follower(event) } }
        let end = now + Self.askingTime
        while goesOn, now < end {
            let asked = now
            let result = try connection.run(question, [poll.mark], named: false, until: asked + Self.patience)
            for event in poll.take(try Self.answer(result), asked: asked) { follower(event) }
            rest(asked + Self.interval)
        }
    }

    private static func answer(_ result: PostgresResult) throws(PostgresFailure) -> NotificationPoll.Answer {
        var answer = NotificationPoll.Answer(server: "", moment: 0, mark: "", news: [])
        do throws(StorageError) {
            for number in 0..<result.rows {
                let row = PostgresRow(result: result, row: Int32(number))
                answer.server = try row.text(0)
                answer.moment = try row.integer(1)
                answer.mark = try row.text(2)
                if !row.isNull(3) { answer.news.append(.init(transaction: try row.text(3), words: try row.text(4))) }
            }
        } catch {
            throw PostgresFailure(code: "XX000", error)
        }
        return answer
    }

    private func tell(_ connection: PostgresConnection) throws(PostgresFailure) {
        for payload in try connection.notifications() where payload.hasPrefix(Self.proof) == false { follower(.notification(payload)) }
    }

    private static let proof = "listening "

    /// A pooler takes `LISTEN`, and may pass on what is told to whoever has the server's connection by then. So somebody else has to be
    /// heard, where there is one.
    private func proveThatItIsHeard(_ connection: PostgresConnection) throws(PostgresFailure) {
        let process = try connection.run("SELECT pg_backend_pid()", [], named: false, until: now + Self.patience)
        guard PostgresRow(result: process, row: 0).value(0) != .integer(connection.toldProcess) else { return }
        let word = Self.proof + String(pool.entropy.uint64(), radix: 16)
        let speaker: PostgresConnection
        do throws(StorageError) { speaker = try pool.connect() } catch { throw PostgresFailure(error) }
        let end = now + Self.patience
        try speaker.run(script: "SELECT pg_notify('\(channel)', '\(word)')", until: end)
        while goesOn {
            if try connection.notifications().contains(word) { return }
            guard PostgresConnection.poll(connection.socket, Int16(POLLIN), until: end, pool.time) else {
                throw PostgresFailure(
                    code: "0L000", .misuse(reason: "notifications do not arrive: a pooler that keeps no sessions is in front of Postgres"))
            }
        }
    }

    private func rest(_ pause: Duration) { rest(now + pause) }

    private func rest(_ end: MonotonicInstant) {
        while goesOn, now < end { usleep(20_000) }
    }
}
