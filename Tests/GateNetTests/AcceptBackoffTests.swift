import Glibc
import NIOCore
import NIOEmbedded
import Testing

@testable import GateNet

@Suite("Accepting")
struct AcceptBackoffTests {
    private final class ReadCounter: ChannelOutboundHandler {
        typealias OutboundIn = Never
        var reads = 0
        func read(context: ChannelHandlerContext) {
            reads += 1
            context.read()
        }
    }

    @Test("CHECKLIST 53: out of descriptors, it pauses, makes room, and accepts again", arguments: [EMFILE, ENFILE, ENOBUFS, ENOMEM])
    func pauses(_ code: CInt) throws {
        let channel = EmbeddedChannel()
        let counter = ReadCounter()
        var roomMade = 0
        try channel.pipeline.syncOperations.addHandlers(counter, AcceptBackoff { roomMade += 1 })
        channel.read()
        #expect(counter.reads == 1)
        for _ in 0..<3 {
            channel.pipeline.fireErrorCaught(IOError(errnoCode: code, reason: "accept"))
            channel.read()
        }
        #expect(counter.reads == 1, "It does not spin.")
        #expect(roomMade == 1)
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(100))
        #expect(counter.reads == 2)
        channel.read()
        #expect(counter.reads == 3)
    }

    @Test("A connection that is gone before it is accepted is no reason to pause")
    func aborted() throws {
        let channel = EmbeddedChannel()
        let counter = ReadCounter()
        try channel.pipeline.syncOperations.addHandlers(counter, AcceptBackoff { Issue.record("There is room.") })
        channel.pipeline.fireErrorCaught(IOError(errnoCode: ECONNABORTED, reason: "accept"))
        channel.read()
        #expect(counter.reads == 1)
    }
}
