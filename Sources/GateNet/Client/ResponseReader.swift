import NIOCore
import NIOHTTP1

/// What comes in on a connection to a server: responses in turn, each asked for. No socket, no clock: bytes go in, steps come out, the
/// same ones however the network cuts the bytes.
///
/// As strict as ``RequestHeadParser``, and for the same reason: a proxy passes on what it read here.
struct ResponseReader {
    enum Step: Equatable, Sendable {
        /// 100: the body of the request is asked for.
        case proceed
        /// The response itself; other interim responses have been skipped.
        case head(ResponseHead)
        /// Never empty.
        case part(ByteBuffer)
        case end
        case needsMore
    }

    private enum Place {
        /// Nothing was asked, or the response has been taken to its end.
        case between
        case head
        case length(Int)
        case chunked(ChunkedBodyDecoder)
        case untilClose
    }

    private let limits: ClientLimits
    private var buffer = ByteBuffer()
    private var place = Place.between
    private var method = HTTPMethod.GET
    private var upgrade: String?
    private var scanner = HeadScanner()
    private var interimResponses = 0
    private var isInputEnded = false
    /// Whether a byte of the response that was last asked for has come.
    private(set) var hasBegun = false
    /// The fields behind the last body, once it has been taken to its end.
    private(set) var trailers: HTTPHeaders?

    init(limits: ClientLimits) { self.limits = limits }

    /// Bytes that have come and not been taken.
    var bufferedBytes: Int { buffer.readableBytes }

    /// A request with `method` has been sent. To be called only when the response before has been taken to its end.
    /// - Parameter upgrade: the protocol that it asked for, in lower case.
    mutating func expect(_ method: HTTPMethod, upgrade: String? = nil) {
        self.method = method
        self.upgrade = upgrade
        place = .head
        scanner = HeadScanner()
        interimResponses = 0
        hasBegun = false
        trailers = nil
    }

    mutating func append(_ bytes: inout ByteBuffer) {
        if bytes.readableBytes > 0 { hasBegun = true }
        if buffer.readableBytes == 0 {
            swap(&buffer, &bytes)
        } else {
            buffer.writeBuffer(&bytes)
        }
    }

    /// Nothing more will come, and that was the server's wish.
    mutating func endInput() { isInputEnded = true }

    mutating func next() throws(ResponseFault) -> Step {
        switch place {
        case .between: return .end
        case .head:
            while let head = try parseHead() {
                guard head.status.code < 200, head.framing != .tunnel else {
                    enterBody(head.framing)
                    return .head(head)
                }
                interimResponses += 1
                guard interimResponses <= limits.interimResponses else {
                    throw .malformed("More than \(limits.interimResponses) interim responses came.")
                }
                if head.status == .continue { return .proceed }
            }
            return try awaitMore()
        case .length(let rest):
            guard let part = takePart(upTo: rest) else { return try awaitMore() }
            place = part.readableBytes == rest ? .between : .length(rest - part.readableBytes)
            return .part(part)
        case .chunked(var decoder):
            let step: ChunkedBodyDecoder.Step
            do throws(RequestFault) { step = try decoder.next(&buffer) } catch { throw ResponseFault(error) }
            place = .chunked(decoder)
            switch step {
            case .part(let part): return .part(part)
            case .needsMore: return try awaitMore()
            case .end:
                place = .between
                trailers = decoder.trailers
                return .end
            }
        case .untilClose:
            if let part = takePart(upTo: .max) { return .part(part) }
            guard isInputEnded else { return .needsMore }
            place = .between
            return .end
        }
    }

    /// All of the body, where its length was told with the head that ``next()`` has just given, and it came with that. The response has
    /// been taken to its end then.
    mutating func takeWholeBody() -> ByteBuffer? {
        switch place {
        case .between: return ByteBuffer()
        case .length(let length):
            guard let body = buffer.readSlice(length: length) else { return nil }
            place = .between
            // A buffer that nobody holds is read into again.
            if buffer.readableBytes == 0 { buffer = ByteBuffer() }
            return body
        case .head, .chunked, .untilClose: return nil
        }
    }

    private func awaitMore() throws(ResponseFault) -> Step {
        guard !isInputEnded else { throw .truncated }
        return .needsMore
    }

    private mutating func takePart(upTo limit: Int) -> ByteBuffer? {
        let count = min(limit, buffer.readableBytes)
        guard count > 0 else { return nil }
        return buffer.readSlice(length: count)
    }

    private mutating func enterBody(_ framing: ResponseHead.Framing) {
        switch framing {
        case .none, .length(0): place = .between
        case .length(let length): place = .length(length)
        case .chunked: place = .chunked(ChunkedBodyDecoder())
        case .untilClose, .tunnel: place = .untilClose
        }
        if buffer.readableBytes == 0 { buffer = ByteBuffer() }
    }

    private mutating func parseHead() throws(ResponseFault) -> ResponseHead? {
        guard buffer.readableBytes > 0 else { return nil }
        let found = buffer.withUnsafeReadableBytes { bytes -> Result<Int?, ResponseFault> in
            // What is no HTTP (a TLS alert, another protocol's greeting) is not waited for until it has a line.
            guard bytes[0] == UInt8(ascii: "H") else { return .failure(.malformed("The response does not begin with HTTP/1.")) }
            do throws(HeadScanner.Fault) {
                return .success(try scanner.findEnd(bytes, limit: limits.headSize))
            } catch {
                switch error {
                case .bareLF: return .failure(.malformed("A line of the head ends with LF alone."))
                case .tooLong: return .failure(.tooLarge("The status line and the header fields have more than \(limits.headSize) bytes."))
                }
            }
        }
        guard let length = try found.get() else { return nil }
        scanner = HeadScanner()
        let bytes = buffer.readSlice(length: length)!
        var fields = ResponseFields(limits: limits, upgrade: upgrade)
        return try fields.parse(bytes, method: method)
    }
}
