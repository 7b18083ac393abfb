import CZlib
import GateHTTP
import NIOCore
import NIOHTTP1

/// zlib's deflate state with the gzip format around it (RFC 1952). Used by one at a time.
struct Gzip: ~Copyable {
    /// On the heap: zlib refuses a state that has moved.
    private let state: UnsafeMutablePointer<z_stream>

    /// `nil` where there is no memory for it (256 KiB).
    init?() {
        state = .allocate(capacity: 1)
        state.initialize(to: z_stream())
        // 15 bits of window, and 16 for the gzip format; level 4 is where zlib's lazy matching begins.
        guard
            deflateInit2_(
                state, 4, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK
        else {
            state.deallocate()
            return nil
        }
    }

    deinit {
        deflateEnd(state)
        state.deallocate()
    }

    enum Ending {
        /// What has been put in can be read at the other end.
        case flushed
        /// The last of it. The next call begins anew.
        case finished
    }

    func compress(_ input: ByteBuffer, _ ending: Ending) -> ByteBuffer {
        var output = ByteBuffer()
        input.withUnsafeReadableBytes { bytes in
            state.pointee.next_in = UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
            state.pointee.avail_in = UInt32(bytes.count)
            let flush = ending == .finished ? Z_FINISH : Z_SYNC_FLUSH
            // Full output means there may be more, see zlib.h on deflate().
            repeat {
                output.writeWithUnsafeMutableBytes(minimumWritableBytes: max(512, bytes.count / 3)) { room in
                    state.pointee.next_out = room.bindMemory(to: UInt8.self).baseAddress
                    state.pointee.avail_out = UInt32(room.count)
                    deflate(state, flush)
                    return room.count - Int(state.pointee.avail_out)
                }
            } while state.pointee.avail_out == 0
            if ending == .finished { deflateReset(state) }
        }
        return output
    }
}

/// Compresses what a response's producer writes, each part so that it can be read when it arrives.
final class GzipWriter: BodyWriter, @unchecked Sendable {
    // Unchecked: a body has one producer, which writes one part after the other (see BodyWriter), so `gzip` has one user at a time.
    private let gzip: Gzip
    private let writer: any BodyWriter

    init?(_ writer: any BodyWriter) {
        guard let gzip = Gzip() else { return nil }
        self.gzip = gzip
        self.writer = writer
    }

    func write(_ part: ByteBuffer) async throws(BodyError) {
        guard part.readableBytes > 0 else { return }
        try await writer.write(gzip.compress(part, .flushed))
    }

    func trailers(_ fields: HTTPHeaders) async { await writer.trailers(fields) }

    func finish() async throws(BodyError) {
        try await writer.write(gzip.compress(ByteBuffer(), .finished))
    }
}

/// One loop's compressor, kept because making one costs 256 KiB and more time than a small body.
final class LoopCompressor {
    private let gzip: Gzip
    init?() {
        guard let gzip = Gzip() else { return nil }
        self.gzip = gzip
    }
    func compress(_ bytes: ByteBuffer) -> ByteBuffer { gzip.compress(bytes, .finished) }
}
