package import GateCore
package import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Redis as the rest of the house uses it: one connection for each event loop, kept open by ``run()``.
///
/// A command goes out on the caller's own event loop where that has a connection, else on any. Nothing waits for a connection: where
/// there is none, the command fails at once.
package final class RedisClient: Sendable {
    private struct Place: Sendable {
        let eventLoop: any EventLoop
        let connection = Box()

        final class Box: Sendable {
            let open = Mutex<RedisConnection?>(nil)
        }
    }

    package let settings: RedisSettings
    package let statistics = RedisStatistics()
    let connector: RedisConnector
    let time: any TimeSource
    let entropy: any Entropy
    let log: Logger
    let group: any EventLoopGroup
    private let places: [Place]
    private let indices: [ObjectIdentifier: Int]
    private let changed = Mutex<(@Sendable () -> Void)?>(nil)

    /// Connects to nothing yet.
    package convenience init(
        _ settings: RedisSettings, connections: Int? = nil, time: any TimeSource, entropy: any Entropy, log: Logger
    ) {
        self.init(settings, connections: connections, group: MultiThreadedEventLoopGroup.singleton, time: time, entropy: entropy, log: log)
    }

    init(
        _ settings: RedisSettings, connections: Int?, group: any EventLoopGroup, time: any TimeSource, entropy: any Entropy, log: Logger
    ) {
        self.settings = settings
        self.time = time
        self.entropy = entropy
        self.log = log
        self.group = group
        connector = RedisConnector(settings, time: time)
        places = group.makeIterator().prefix(connections ?? .max).map { Place(eventLoop: $0) }
        indices = Dictionary(uniqueKeysWithValues: places.enumerated().map { (ObjectIdentifier($1.eventLoop), $0) })
    }

    /// Keeps the connections open, until the task is cancelled; then it closes them.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            for place in places { group.addTask { [self] in await keepOpen(place) } }
            if case .watched = settings.server { group.addTask { [self] in await followPrimary() } }
        }
        await connector.shutDown()
    }

    /// Told when a connection comes or goes.
    func onChange(_ changed: @escaping @Sendable () -> Void) { self.changed.withLock { $0 = changed } }

    package var openConnections: Int { places.count { $0.connection.open.withLock { $0 != nil } } }

    func send(_ command: RedisCommand, within limit: Duration? = nil) async throws(RedisError) -> RESPValue {
        guard let connection else { throw .notConnected(statistics.lastFailure ?? "not connected yet") }
        return try await connection.send(command, within: limit ?? settings.commandTime)
    }

    /// Sends without waiting for what becomes of it.
    func post(_ command: RedisCommand) { connection?.send(command, within: settings.commandTime) { _ in } }

    /// Closes all connections: they lead to a server that takes no writes any more. They are made anew at once.
    func leaveServer(_ reason: RedisError) {
        for place in places { place.connection.open.withLock { $0 }?.close(reason) }
    }

    private var connection: RedisConnection? {
        var first = 0
        if let current = MultiThreadedEventLoopGroup.currentEventLoop, let index = indices[ObjectIdentifier(current)] { first = index }
        for offset in places.indices {
            let place = places[(first + offset) % places.count]
            if let connection = place.connection.open.withLock({ $0 }) { return connection }
        }
        return nil
    }

    // MARK: Keeping connected

    private func keepOpen(_ place: Place) async {
        var delay = ReconnectDelay()
        while !Task.isCancelled {
            do throws(RedisError) {
                let connection = try await connector.connect(on: place.eventLoop)
                let start = time.monotonic()
                place.connection.open.withLock { $0 = connection }
                statistics.connected()
                announce()
                await withTaskCancellationHandler {
                    try? await connection.closed.get()
                } onCancel: {
                    connection.close()
                }
                place.connection.open.withLock { $0 = nil }
                delay.held(for: time.monotonic().since(start))
            } catch {
                statistics.failed(error)
                log.debug("Redis could not be connected to", metadata: ["error": "\(error)"])
            }
            announce()
            guard !Task.isCancelled else { return }
            try? await Task.sleep(for: delay.take(entropy))
        }
    }

    private func announce() { changed.withLock { $0 }?() }

    /// Leaves a server that the sentinels have replaced although it still answers.
    private func followPrimary() async {
        var last: String?
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(1))
            guard let place = try? await connector.primary(on: group.next()) else { continue }
            let now = "\(place)"
            if let last, last != now {
                log.notice("The sentinels name another primary", metadata: ["redis": "\(now)"])
                leaveServer(.disconnected("the sentinels name another primary"))
            }
            last = now
        }
    }
}
