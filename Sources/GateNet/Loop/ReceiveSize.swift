import NIOCore

/// How much is read from a socket at once: as much as has been coming, from 1 to 64 KiB.
///
/// A channel keeps the buffer that it read into, to read into it again. That is right for requests and small messages, but 64 KiB of memory
/// for each connection that once carried a large body, for as long as it is kept: so large buffers are made anew for each read, and go
/// with what was read. For channels that read once at a time (`maxMessagesPerRead` of 1): others keep several.
struct ReceiveSize: RecvByteBufferAllocator {
    /// In bytes.
    private static let mostKept = 4096
    private var size: AdaptiveRecvByteBufferAllocator

    init(initial: Int) { size = AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: initial, maximum: 64 << 10) }

    private var isKept: Bool { (size.nextBufferSize() ?? 0) <= Self.mostKept }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { size.buffer(allocator: allocator) }

    /// Without a size, and with `record` saying that it may grow, no kept buffer is taken.
    func nextBufferSize() -> Int? { isKept ? size.nextBufferSize() : nil }

    mutating func record(actualReadBytes: Int) -> Bool {
        let mayGrow = size.record(actualReadBytes: actualReadBytes)
        return mayGrow || !isKept
    }
}
