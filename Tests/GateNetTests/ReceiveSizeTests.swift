import NIOCore
import Testing

@testable import GateNet

@Suite("Receive buffers")
struct ReceiveSizeTests {
    /// NIO's own keeping of buffers, as a channel with one read at a time uses it.
    private struct Reads {
        private var buffers = NIOPooledRecvBufferAllocator(capacity: 1, recvAllocator: ReceiveSize(initial: 1024))

        /// Reads as much as there is room for, `limit` at most. The room, and where it was.
        mutating func read(upTo limit: Int = .max) -> (room: Int, place: UInt) {
            let (_, read) = buffers.buffer(allocator: ByteBufferAllocator()) { buffer in
                let room = buffer.writableBytes
                buffer.writeRepeatingByte(0, count: min(room, limit))
                return (room: room, place: buffer.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) })
            }
            buffers.record(actualReadBytes: min(read.room, limit))
            return read
        }

        /// What a connection that reads nothing now holds on to.
        var kept: Int {
            var copy = buffers
            copy.recvAllocator = FixedSizeRecvByteBufferAllocator(capacity: 1)
            return copy.count == 0 ? 0 : copy.buffer(allocator: ByteBufferAllocator()) { $0.capacity }.1
        }
    }

    @Test("grow with what comes, up to 64 KiB, of which a connection keeps 4 at most")
    func growing() {
        var reads = Reads()
        #expect((0..<8).map { _ in reads.read().room } == [1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 65_536])
        #expect(reads.kept <= 4096)
    }

    @Test("shrink when less comes, and the one that is kept is read into again")
    func shrinking() {
        var reads = Reads()
        for _ in 0..<7 { _ = reads.read() }
        for _ in 0..<12 { _ = reads.read(upTo: 100) }
        let places = Set((0..<5).map { _ in reads.read(upTo: 100).place })
        #expect(places.count == 1 && reads.kept <= 4096)
    }
}
