import GateTesting
import Glibc
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import GateNet

@Suite("Accepting")
struct AcceptBackoffTests {
    /// A listener with `AcceptBackoff`, and how often it asked for room.
    private func withListener(_ body: (any Channel, Counter) async throws -> Void) async throws {
        let counter = Counter()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptBackoff { counter.increase() })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do { try await body(channel, counter) } catch {
            try await channel.close()
            throw error
        }
        try await channel.close()
    }

    private final class Counter: Sendable {
        private let value = Atomic<Int>(0)
        var count: Int { value.load(ordering: .relaxed) }
        func increase() { value.add(1, ordering: .relaxed) }
    }

    @Test("CHECKLIST 53: out of descriptors, it stops asking, makes room, and accepts again", arguments: [EMFILE, ENFILE, ENOBUFS, ENOMEM])
    func pauses(_ code: CInt) async throws {
        try await withListener { channel, counter in
            let isReading = try await channel.eventLoop.submit {
                for _ in 0..<3 { channel.pipeline.fireErrorCaught(IOError(errnoCode: code, reason: "accept")) }
                return try channel.syncOptions!.getOption(.autoRead)
            }.get()
            #expect(!isReading, "A listener that is read from while nothing can be accepted spins.")
            #expect(counter.count == 1)
            let later = channel.eventLoop.scheduleTask(in: AcceptBackoff.pause + .milliseconds(50)) {
                try channel.syncOptions!.getOption(.autoRead)
            }
            #expect(try await later.futureResult.get())
            let client = try await RawClient(port: channel.localAddress!.port!)
            await client.close()
        }
    }

    @Test("However many sockets find nothing to accept with, connections make room once in a pause")
    func roomIsMadeOnce() {
        let time = ManualTime()
        let counter = Counter()
        let keeper = RoomKeeper(time) { counter.increase() }
        for _ in 0..<4 { keeper.makeRoom() }
        #expect(counter.count == 1)
        time.advance(by: .milliseconds(50))
        for _ in 0..<4 { keeper.makeRoom() }
        #expect(counter.count == 2)
    }

    @Test("A connection that is gone before it is accepted is no reason to pause")
    func aborted() async throws {
        try await withListener { channel, counter in
            let isReading = try await channel.eventLoop.submit {
                channel.pipeline.fireErrorCaught(IOError(errnoCode: ECONNABORTED, reason: "accept"))
                return try channel.syncOptions!.getOption(.autoRead)
            }.get()
            #expect(isReading && channel.isActive && counter.count == 0)
        }
    }
}
