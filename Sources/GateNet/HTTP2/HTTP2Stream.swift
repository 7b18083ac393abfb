import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1
import NIOHTTP2

/// One stream of a connection, from its request to the last byte of its response. Confined to the connection's event loop.
final class HTTP2Stream {
    let id: HTTP2StreamID
    let exchange: CurrentExchange
    /// Where the request waits to be handed on: a body that comes in the same read is given as bytes.
    var waiting: RequestHead.Target?
    /// Taken from its responder: what comes from there is dropped.
    var isTaken = false

    /// What has come of the body and was not asked for yet.
    var inbox = ByteBuffer()
    /// What came behind the body.
    var trailers: HTTPHeaders?
    /// The client has ended its side.
    var inputEnded = false
    /// What the client may send, as `NIOHTTP2Handler` told last, in bytes; `nil` where it may send nothing any more.
    var inboundWindow: Int?
    var readDeadline: MonotonicInstant?

    var sendWindow: HTTP2SendWindow
    /// Content that waits for the client to open its windows, and the last frame behind it.
    var outbox: [ByteBuffer] = []
    var last: HTTP2Frame.FramePayload?
    /// It is among those that send in turn.
    var isSending = false
    /// Bytes of the response that are not with the kernel yet.
    var pendingBytes = 0
    /// The end of the response has been handed on.
    var outputEnded = false
    /// It is not with the kernel yet.
    var isEndPending = false
    /// `NIOHTTP2Handler` has the end of the response.
    var isEndSent: Bool { outputEnded && last == nil }
    /// The response is with the kernel, and the observer has heard of it. What comes still of the request is dropped.
    var isAnswered = false
    var writeDeadline: MonotonicInstant?
    /// A frame of the response went out since the deadline was set.
    var hasProgressed = false

    /// What `Content-Length` said of the body.
    var promisedBytes: Int?
    /// What has come of it.
    var receivedBytes = 0

    init(id: HTTP2StreamID, exchange: CurrentExchange, sendWindow: Int) {
        self.sendWindow = HTTP2SendWindow(sendWindow)
        self.id = id
        self.exchange = exchange
    }

    var number: UInt64 { exchange.number }
    var owesOutput: Bool { !isAnswered && (pendingBytes > 0 || isEndPending || exchange.bodyWriter != nil) }

    /// Whether what has come agrees with `Content-Length` (RFC 9113 §8.1.1).
    func keepsPromise(isEnd: Bool) -> Bool {
        guard let promisedBytes else { return true }
        return isEnd ? receivedBytes == promisedBytes : receivedBytes <= promisedBytes
    }

    func takeInbox() -> ByteBuffer {
        defer { inbox = ByteBuffer() }
        return inbox
    }
}
