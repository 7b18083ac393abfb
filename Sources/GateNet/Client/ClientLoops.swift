import NIOCore
import NIOPosix

/// The event loops of a client.
final class ClientLoops: Sendable {
    struct Loop: Sendable {
        let executor: EventLoopExecutor
        let context: NIOLoopBoundBox<ClientLoop>
    }

    private let loops: [Loop]
    private let indices: [ObjectIdentifier: Int]
    private let settings: ClientSettings

    init(_ group: any EventLoopGroup, settings: ClientSettings) {
        self.settings = settings
        var loops: [Loop] = []
        var indices: [ObjectIdentifier: Int] = [:]
        for eventLoop in group.makeIterator() {
            let context = ClientLoop(eventLoop, settings: settings)
            indices[ObjectIdentifier(eventLoop)] = loops.count
            let executor = context.executor
            loops.append(Loop(executor: executor, context: .makeBoxSendingValue(context, eventLoop: eventLoop)))
        }
        self.loops = loops
        self.indices = indices
    }

    /// The caller's own where it is on one. Else one that is always the same for a destination, so that its connections are found again.
    func loop(for destination: Destination) -> Loop {
        if let current = MultiThreadedEventLoopGroup.currentEventLoop, let index = indices[ObjectIdentifier(current)] {
            return loops[index]
        }
        return loops[Int(UInt(bitPattern: destination.hashValue) % UInt(loops.count))]
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
