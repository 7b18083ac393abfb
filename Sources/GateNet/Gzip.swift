import GateCompression
import GateHTTP
import NIOCore
import NIOHTTP1

/// Compresses parts of bodies into buffers. Used by one at a time.
struct Gzip: ~Copyable {
    private let encoder: GzipEncoder

    /// `nil` where there is no memory for it.
    init?() {
        guard let encoder = GzipEncoder(level: 4) else { return nil }
        self.encoder = encoder
    }

    /// After `.finished` the next call begins anew.
    func compress(_ input: ByteBuffer, _ ending: GzipEncoder.Ending) -> ByteBuffer {
        var output = ByteBuffer()
        input.withUnsafeReadableBytes { bytes in
            encoder.give(bytes)
            var isFull = false
            repeat {
                output.writeWithUnsafeMutableBytes(minimumWritableBytes: max(512, bytes.count / 3)) { room in
                    let count = encoder.take(into: room, ending)
                    isFull = count == room.count
                    return count
                }
            } while isFull
            if ending == .finished { encoder.reset() }
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
