import NIOCore
import NIOPosix
import Synchronization

/// The event loops of a client.
final class ClientLoops: Sendable {
    struct Loop: Sendable {
        let executor: EventLoopExecutor
        let context: NIOLoopBoundBox<ClientLoop>
    }

    let loops: [Loop]
    /// Those of `loops`, in their order: a few numbers are sooner looked through than hashed.
    private let identifiers: [ObjectIdentifier]
    private let settings: ClientSettings
    private let endpoints = Mutex<[WeakEndpoint]>([])

    init(_ group: any EventLoopGroup, settings: ClientSettings) {
        self.settings = settings
        var loops: [Loop] = []
        for eventLoop in group.makeIterator() {
            let context = ClientLoop(eventLoop, index: loops.count, settings: settings)
            let executor = context.executor
            loops.append(Loop(executor: executor, context: .makeBoxSendingValue(context, eventLoop: eventLoop)))
        }
        self.loops = loops
        identifiers = loops.map { ObjectIdentifier($0.context.eventLoop) }
    }

    /// The one that the caller is on.
    var current: Loop? {
        guard let current = MultiThreadedEventLoopGroup.currentEventLoop,
            let index = identifiers.firstIndex(of: ObjectIdentifier(current))
        else { return nil }
        return loops[index]
    }

    /// The caller's own where it is on one. Else one that is always the same for a destination, so that its connections are found again.
    func loop(for destination: Destination) -> Loop {
        current ?? loops[Int(UInt(bitPattern: destination.hashValue) % UInt(loops.count))]
    }

    /// The endpoint with those settings, where somebody has it already, so that its connections go on.
    func endpoint(_ settings: EndpointSettings, egress: EgressRule) -> Endpoint {
        endpoints.withLock { endpoints in
            endpoints.removeAll { $0.endpoint == nil }
            for case let known? in endpoints.lazy.map(\.endpoint) where known.settings == settings && known.destination.egress == egress {
                return known
            }
            var tls = settings.tls
            tls?.handshakeTime = settings.connectTime
            let rules = Destination.Rules(
                endpoint: Self.endpointNumbers.add(1, ordering: .relaxed).newValue, serverName: settings.serverName, tls: tls,
                connections: settings.connections, connectTime: settings.connectTime, keepAliveTime: settings.keepAliveTime)
            let endpoint = Endpoint(
                settings, Destination(settings.url, socket: settings.socket, egress: egress, rules: rules), self)
            endpoints.append(WeakEndpoint(endpoint: endpoint))
            return endpoint
        }
    }

    private static let endpointNumbers = Atomic<Int>(0)

    private struct WeakEndpoint {
        weak var endpoint: Endpoint?
    }

    func connectionCount() async -> Int {
        var count = 0
        for loop in loops { count += (try? await loop.context.eventLoop.submit { loop.context.value.connections }.get()) ?? 0 }
        return count
    }

    func shutDown() async {
        for loop in loops { try? await loop.context.eventLoop.submit { loop.context.value.shutDown() }.get() }
        await settings.resolver.shutDown()
    }
}
