import GateCore
import GateHTTP
import NIOCore

/// A file on its way through sendfile(2).
final class SentFile {
    let file: OpenFile
    /// NIO's name for a descriptor. It owns nothing: the file is closed by ``file``.
    let handle: NIOFileHandle
    /// Where what has been handed to the channel ends.
    var end = 0

    init(_ file: OpenFile) {
        self.file = file
        handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: file.descriptor)
    }

    deinit { _ = try? handle.takeDescriptorOwnership() }

    /// Of a file that has become shorter sendfile(2) sends nothing for ever, and the channel asks it again and again.
    var isShortened: Bool { ((try? file.status())?.size ?? 0) < end }
}

extension HTTP1Connection {
    /// How much is handed to the kernel in one go, in bytes. It may have left memory again until a slow client takes it, and the event
    /// loop waits for the disk then: little enough for that.
    private static let filePortion = 512 << 10
    private static let probeStride = 64 << 10

    /// Sends a file behind the head that has been written.
    func sendFile(_ body: FileBody, to number: UInt64) {
        let connection = NIOLoopBound(self, eventLoop: loop.eventLoop)
        let sent = NIOLoopBound(SentFile(body.file), eventLoop: loop.eventLoop)
        let writer = ConnectionBodyWriter(connection: connection, eventLoop: loop.eventLoop, exchange: number)
        current?.task = nil
        run(number) {
            do {
                var offset = body.range.lowerBound
                while offset < body.range.upperBound {
                    let count = min(Self.filePortion, body.range.upperBound - offset)
                    let cached = body.file.cachedCount(at: offset, upTo: count, stride: Self.probeStride)
                    if cached > 0 {
                        try await Self.send(offset..<offset + cached, of: sent, on: connection, number)
                        offset += cached
                    } else {
                        // sendfile(2) would keep the event loop waiting for the disk.
                        let part = try await body.uncachedPart(at: offset, upTo: count)
                        offset += part.readableBytes
                        try await writer.write(part)
                    }
                }
                connection.value.endStream(number)
            } catch {
                connection.value.breakStream(number)
            }
            connection.value.resume()
        }
        if !isInRead { flushIfNeeded() }
    }

    /// Returns once all of `range` is with the kernel. A client that has closed its side may still be reading, so being cancelled is no
    /// reason to stop; the end of the connection is.
    private static func send(
        _ range: Range<Int>, of sent: NIOLoopBound<SentFile>, on connection: NIOLoopBound<HTTP1Connection>, _ number: UInt64
    ) async throws(BodyError) {
        let isSent = await withCheckedContinuation { continuation in
            connection.value.write(range, of: sent.value, number) { continuation.resume(returning: $0) }
        }
        if !isSent { throw .disconnected }
    }

    private func write(_ range: Range<Int>, of sent: SentFile, _ number: UInt64, _ done: @escaping @Sendable (Bool) -> Void) {
        guard let exchange = current, exchange.number == number, context != nil else { return done(false) }
        exchange.sentBytes += range.count
        exchange.sentFile = sent
        sent.end = range.upperBound
        let written = loop.eventLoop.makePromise(of: Void.self)
        pendingWrites += 1
        written.futureResult.assumeIsolated().whenComplete { [self] result in
            // Kept open until here.
            if exchange.sentFile === sent { exchange.sentFile = nil }
            wrote()
            done((try? result.get()) != nil)
        }
        let region = FileRegion(fileHandle: sent.handle, readerIndex: range.lowerBound, endIndex: range.upperBound)
        context.write(NIOAny(IOData.fileRegion(region)), promise: written)
        flush()
    }
}
