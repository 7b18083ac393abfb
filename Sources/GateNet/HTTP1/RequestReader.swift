import NIOCore
import NIOHTTP1

/// What comes in on a connection: heads and bodies in turn. No socket, no clock: bytes go in, steps come out.
struct RequestReader {
    private enum Body {
        case none
        case length(Int)
        case chunked(ChunkedBodyDecoder)
    }

    private var buffer = ByteBuffer()
    private var headParser: RequestHeadParser
    private var body = Body.none
    /// Those of the last body that was taken to its end.
    private(set) var trailers: HTTPHeaders?

    init(limits: ServerLimits) { headParser = RequestHeadParser(limits: limits) }

    /// Bytes that have come and not been taken.
    var bufferedBytes: Int { buffer.readableBytes }

    /// Whether the body of the last head has been taken to its end.
    var isBodyComplete: Bool {
        if case .none = body { true } else { false }
    }

    /// How much of the body is known to be outstanding; `nil` where only the chunks will tell.
    var promisedBytes: Int? {
        switch body {
        case .none: 0
        case .length(let rest): rest
        case .chunked: nil
        }
    }

    mutating func append(_ bytes: inout ByteBuffer) {
        if buffer.readableBytes == 0 {
            swap(&buffer, &bytes)
        } else {
            buffer.writeBuffer(&bytes)
        }
    }

    /// Lets go of what is kept for the next head: none has come for a while.
    mutating func forgetFields() { headParser.forgetFields() }

    mutating func discardBuffered() { buffer = ByteBuffer() }

    /// What has come and is no HTTP any more; `nil` for nothing.
    mutating func takeBuffered() -> ByteBuffer? {
        guard buffer.readableBytes > 0 else { return nil }
        defer { buffer = ByteBuffer() }
        return buffer
    }

    /// To be called only when the body before has been taken to its end.
    mutating func nextHead() throws(RequestFault) -> RequestHead? {
        guard buffer.readableBytes > 0, let head = try headParser.parse(&buffer) else { return nil }
        trailers = nil
        switch head.framing {
        case .none: body = .none
        case .length(let length): body = .length(length)
        case .chunked: body = .chunked(ChunkedBodyDecoder())
        }
        if buffer.readableBytes == 0 { buffer = ByteBuffer() }
        return head
    }

    mutating func nextBodyPart() throws(RequestFault) -> ChunkedBodyDecoder.Step {
        switch body {
        case .none: return .end
        case .length(let rest):
            let count = min(rest, buffer.readableBytes)
            guard count > 0 else { return .needsMore }
            body = count == rest ? .none : .length(rest - count)
            return .part(buffer.readSlice(length: count)!)
        case .chunked(var decoder):
            let step = try decoder.next(&buffer)
            if step == .end {
                body = .none
                trailers = decoder.trailers
            } else {
                body = .chunked(decoder)
            }
            return step
        }
    }
}
