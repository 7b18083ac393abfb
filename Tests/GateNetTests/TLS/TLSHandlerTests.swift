import GateCrypto
import NIOCore
import NIOEmbedded
import Testing

@testable import GateNet

@Suite("TLS in a pipeline")
struct TLSHandlerTests {
    @Test("Whoever hears that what was not flushed is dropped may write again: that is dropped too")
    func writeWhileClosing() throws {
        let channel = EmbeddedChannel(handler: try TestCertificates.client().handler(for: "localhost"))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        let (first, second) = (channel.eventLoop.makePromise(of: Void.self), channel.eventLoop.makePromise(of: Void.self))
        first.futureResult.whenFailure { _ in channel.writeAndFlush(ByteBuffer(string: "again"), promise: second) }
        channel.write(ByteBuffer(string: "once"), promise: first)
        channel.close(promise: nil)
        #expect(throws: TLSError.closed) { try first.futureResult.wait() }
        #expect(throws: TLSError.closed) { try second.futureResult.wait() }
    }
}
