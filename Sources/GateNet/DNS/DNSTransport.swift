import GateCore
import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Carries one query to one server: over UDP, and over TCP where the answer did not fit (RFC 1035 §4.2, RFC 7766).
struct DNSTransport: Sendable {
    let server: DNSServer
    /// For each of the two ways.
    let timeLimit: Duration
    let group: any EventLoopGroup

    func send(_ query: DNSQuery) async throws(DNSError) -> DNSMessage {
        let message = try await overUDP(query)
        return message.isTruncated ? try await overTCP(query) : message
    }

    private func overUDP(_ query: DNSQuery) async throws(DNSError) -> DNSMessage {
        let faulty = MalformedAnswer()
        return try await exchange(query, faulty) { loop, answer in
            // A message is at most as large as was offered; a server that sends more is cut, and its answer refused.
            DatagramBootstrap(group: loop)
                .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4096))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(DNSDatagramExchange(query, answer, faulty: faulty))
                    }
                }
                .connect(to: try server.socketAddress)
        } message: { bytes in
            ByteBuffer(bytes: bytes)
        }
    }

    private func overTCP(_ query: DNSQuery) async throws(DNSError) -> DNSMessage {
        let message = try await exchange(query, MalformedAnswer()) { loop, answer in
            ClientBootstrap(group: loop)
                .connectTimeout(TimeAmount(timeLimit))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(DNSStreamExchange(query, answer))
                    }
                }
                .connect(to: try server.socketAddress)
        } message: { bytes in
            var buffer = ByteBuffer(integer: UInt16(bytes.count))
            buffer.writeBytes(bytes)
            return buffer
        }
        guard !message.isTruncated else { throw failure(.badResponse, query, "the answer is cut short over TCP too") }
        return message
    }

    private func exchange(
        _ query: DNSQuery, _ faulty: MalformedAnswer,
        connect: (any EventLoop, EventLoopPromise<DNSMessage>) throws -> EventLoopFuture<any Channel>,
        message: ([UInt8]) -> ByteBuffer
    ) async throws(DNSError) -> DNSMessage {
        let loop = group.next()
        let answer = loop.makePromise(of: DNSMessage.self)
        let deadline = loop.scheduleTask(in: TimeAmount(timeLimit)) { answer.fail(faulty.fault ?? TimedOut()) }
        do {
            let connecting = try connect(loop, answer)
            connecting.whenFailure { answer.fail($0) }
            let bytes = message(query.encoded)
            connecting.whenSuccess { channel in
                // The channel lives until the answer is settled, whichever way.
                answer.futureResult.whenComplete { _ in channel.close(promise: nil) }
                channel.writeAndFlush(bytes).whenFailure { answer.fail($0) }
            }
        } catch {
            answer.fail(error)
        }
        do {
            let result = try await withTaskCancellationHandler {
                try await answer.futureResult.get()
            } onCancel: {
                answer.fail(CancellationError())
            }
            deadline.cancel()
            return result
        } catch {
            deadline.cancel()
            throw failure(query, error)
        }
    }

    private struct TimedOut: Error {}

    private func failure(_ query: DNSQuery, _ error: any Error) -> DNSError {
        switch error {
        case is TimedOut, ChannelError.connectTimeout: failure(.timedOut, query, "no answer within \(timeLimit.text)")
        case is CancellationError: failure(.cancelled, query, "given up")
        case let fault as DNSFormatFault: failure(.badResponse, query, "the answer is malformed: \(fault)")
        case ChannelError.eof: failure(.badResponse, query, "the connection ended without an answer")
        case let error as IOError: failure(.unreachable, query, error.words)
        default: failure(.unreachable, query, "\(error)")
        }
    }

    private func failure(_ reason: DNSError.Reason, _ query: DNSQuery, _ words: String) -> DNSError {
        DNSError(reason, "\(query.question) from \(server): \(words)")
    }
}

extension IOError {
    /// The system's words alone: the rest of its description names functions of NIO.
    fileprivate var words: String { String(cString: strerror(errnoCode)) }
}
