import GateCore
package import GateIdentity
import Logging
import NIOCore
import Synchronization

/// What instances tell each other, over a channel of Redis (pub/sub), on a connection of its own.
///
/// The connection is asked four times a second whether it is alive; the answer comes behind everything that was published before the
/// question. A channel keeps nothing: who was away reads the database.
package final class RedisChangeFeed: ChangeFeed {
    private let client: RedisClient
    private let channel: String

    private static let heartbeat = Duration.milliseconds(250)
    /// For the answer; with the next question's wait it stays below the time that memory is believed for.
    private static let patience = Duration.milliseconds(600)
    /// In one message: some 32 KiB.
    private static let batch = 500

    /// - Parameter client: publishes, and is run by somebody else.
    package init(_ client: RedisClient) {
        self.client = client
        channel = client.settings.prefix + "changes"
    }

    package var isShared: Bool { true }

    package func publish(_ changes: [IdentityChange]) async throws {
        var rest = changes[...]
        do throws(RedisError) {
            while !rest.isEmpty {
                let lines = rest.prefix(Self.batch).map(\.text).joined(separator: "\n")
                _ = try await client.send(
                    RedisCommand("PUBLISH", channel, lines), within: min(client.settings.commandTime, .milliseconds(900)))
                rest = rest.dropFirst(Self.batch)
            }
        } catch {
            throw error.storageError
        }
    }

    package func follow(_ follower: @escaping @Sendable (ChangeFeedEvent) -> Void) async {
        var delay = ReconnectDelay()
        var isLossLogged = false
        while !Task.isCancelled {
            let start = client.time.monotonic()
            do throws(RedisError) {
                let connection = try await client.connector.connect(on: client.group.next())
                await withTaskCancellationHandler {
                    await listen(on: connection, Line(follower)) { [log = client.log, isLossLogged] in
                        if isLossLogged { log.notice("Redis tells of other instances' changes again") }
                    }
                } onCancel: {
                    connection.close()
                }
                connection.close()
            } catch {
                client.log.debug("Redis could not be connected to for other instances' changes", metadata: ["error": "\(error)"])
            }
            guard !Task.isCancelled else { return }
            if !isLossLogged || client.time.monotonic().since(start) > ReconnectDelay.proven {
                client.log.warning("Redis does not tell of other instances' changes: requests ask the database")
                isLossLogged = true
            }
            delay.held(for: client.time.monotonic().since(start))
            try? await Task.sleep(for: delay.take(client.entropy))
        }
    }

    /// Returns when the connection is gone.
    private func listen(on connection: RedisConnection, _ line: Line, began: @escaping @Sendable () -> Void) async {
        line.ask(client.time.monotonic())
        connection.subscribe(RedisCommand("SUBSCRIBE", channel)) { elements in
            switch elements.first?.text {
            case "subscribe":
                line.begin()
                began()
            case "message":
                for change in IdentityChange.all(in: elements.last?.text ?? "") { line.tell(.change(change)) }
            default: break
            }
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [time = client.time] in
                while !Task.isCancelled {
                    let asked = time.monotonic()
                    connection.send(RedisCommand("PING"), within: Self.patience) { reply in
                        switch reply {
                        case .success: line.confirm(asked)
                        case .failure(let error): connection.close(error)
                        }
                    }
                    try? await Task.sleep(for: Self.heartbeat)
                }
            }
            try? await connection.closed.get()
            group.cancelAll()
        }
        line.end()
    }

    /// One connection's events, in their order: all but the last are told on its event loop.
    private final class Line: Sendable {
        private struct State {
            var asked: MonotonicInstant?
            var hasBegun = false
            var hasEnded = false
        }

        private let follower: @Sendable (ChangeFeedEvent) -> Void
        private let state = Mutex(State())

        init(_ follower: @escaping @Sendable (ChangeFeedEvent) -> Void) { self.follower = follower }

        func ask(_ moment: MonotonicInstant) { state.withLock { $0.asked = moment } }

        func begin() {
            let moment = state.withLock { state in
                state.hasBegun = true
                return state.asked
            }
            if let moment { follower(.began(moment)) }
        }

        func tell(_ event: ChangeFeedEvent) {
            if state.withLock({ $0.hasBegun && !$0.hasEnded }) { follower(event) }
        }

        func confirm(_ moment: MonotonicInstant) { tell(.current(asOf: moment)) }

        func end() {
            let wasOpen = state.withLock { state in
                defer { state.hasEnded = true }
                return state.hasBegun && !state.hasEnded
            }
            if wasOpen { follower(.lost) }
        }
    }
}
