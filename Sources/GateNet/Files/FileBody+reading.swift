import GateCore
package import GateHTTP
import NIOCore
import NIOPosix

extension FileBody {
    /// What is read and sent in one go, in bytes.
    private static let portion = 64 << 10

    /// Writes it in parts to a body. What is in memory is read in place; for the rest a thread that may wait for the disk is asked.
    ///
    /// - Throws: ``FileBodyError/shortened`` where the file ends too early, ``FileFailure``, and what `writer` throws.
    package func write(to writer: any BodyWriter) async throws {
        var offset = range.lowerBound
        while offset < range.upperBound {
            let part = try await part(at: offset, upTo: min(Self.portion, range.upperBound - offset))
            offset += part.readableBytes
            try await writer.write(part)
        }
    }

    /// The bytes from `offset` on, one at least.
    func part(at offset: Int, upTo count: Int) async throws -> ByteBuffer {
        var part = ByteBuffer()
        let cached = part.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { room in
            file.readCached(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: room[..<count])) ?? 0
        }
        return cached > 0 ? part : try await uncachedPart(at: offset, upTo: count)
    }

    /// The same from the disk.
    func uncachedPart(at offset: Int, upTo count: Int) async throws -> ByteBuffer {
        let part = try await NIOThreadPool.singleton.runIfActive { [file] in
            var part = ByteBuffer()
            try part.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { room in
                try file.read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: room[..<count]))
            }
            return part
        }
        guard part.readableBytes > 0 else { throw FileBodyError.shortened }
        return part
    }

    /// Appends the whole of it to `buffer` where all of it is in memory; whether it was.
    func appendCached(to buffer: inout ByteBuffer) -> Bool {
        let start = buffer.writerIndex
        let count = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: range.count) { room in
            file.readCached(at: range.lowerBound, into: UnsafeMutableRawBufferPointer(rebasing: room[..<range.count])) ?? 0
        }
        guard count < range.count else { return true }
        buffer.moveWriterIndex(to: start)
        return false
    }
}

package enum FileBodyError: Error, Hashable, Sendable {
    /// The file has become shorter than its body was promised to be.
    case shortened
}

extension ResponseBody {
    /// Up to this size a file is read in place, so that it goes out with its head.
    static let inlineFile = 16 << 10

    /// The same as bytes or a stream, for connections to which a file is nothing special.
    var withoutFile: ResponseBody {
        guard case .file(let body) = self else { return self }
        if body.range.count <= Self.inlineFile {
            var bytes = ByteBuffer()
            if body.appendCached(to: &bytes) { return .bytes(bytes) }
        }
        return .stream(length: body.range.count) { try await body.write(to: $0) }
    }
}
