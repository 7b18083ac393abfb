import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1

/// The exchange that a connection is at. Confined to the connection's event loop.
///
/// A class because it is passed on several times: as a struct, copying its fields was a good part of a small request's cost.
final class CurrentExchange {
    /// Told by what a task holds of its exchange whether it is still the one: a number, so that nothing has to be unhooked.
    let number: UInt64
    /// What is asked, without its body: that is the responder's, and must be gone when nobody reads it any more, though a slow client may
    /// take the response for long.
    let request: Request
    /// Whether the request itself lets the connection stay.
    let keepsAlive: Bool

    /// `100 Continue` is owed before the body comes.
    var owesContinue: Bool
    var status: HTTPResponseStatus?
    var sentBytes = 0
    var framing = ResponseHeadEncoder.Framing.none
    var staysOpen = false
    var task: Task<Void, Never>?
    /// What brings the response, where that is no task.
    var pending: PendingResponse?
    /// Who waits for the body, and who waits for room to write; called once.
    var bodyReader: ((Result<ByteBuffer?, BodyError>) -> Void)?
    var bodyWriter: ((Result<Void, BodyError>) -> Void)?
    /// The file that sendfile(2) is at.
    var sentFile: SentFile?
    /// Time that was spent waiting for the body, and what came of it.
    var bodyWait: Duration = .zero
    private var bodyWaitSince: MonotonicInstant?
    var bodyBytes = 0
    /// To be sent behind the body of the response.
    var trailers: HTTPHeaders?
    /// Our direction of the tunnel that the exchange has become; `nil` where it has not.
    var tunnel: TunnelOutput?

    enum TunnelOutput {
        case open
        /// Its end is on its way, behind what was written before.
        case ending
        case ended
    }

    var isHTTP11: Bool {
        if case .http10 = request.version { false } else { true }
    }
    var isHEAD: Bool {
        if case .HEAD = request.method { true } else { false }
    }
    /// Whether our direction is open still.
    var mayWrite: Bool {
        switch tunnel {
        case nil, .open: true
        case .ending, .ended: false
        }
    }

    init(number: UInt64, request: Request, keepsAlive: Bool, owesContinue: Bool) {
        self.number = number
        self.request = request
        self.keepsAlive = keepsAlive
        self.owesContinue = owesContinue
    }

    /// For what could not be read as a request.
    convenience init(number: UInt64, id: RequestID, client: IPAddress?, receivedAt: MonotonicInstant) {
        let request = Request(id: id, method: .RAW(value: "-"), target: .root, client: client, receivedAt: receivedAt)
        self.init(number: number, request: request, keepsAlive: false, owesContinue: false)
    }

    /// The same, taken from its responder: what comes from there under the old number is dropped.
    convenience init(continuing exchange: CurrentExchange, as number: UInt64) {
        self.init(number: number, request: exchange.request, keepsAlive: false, owesContinue: false)
    }

    /// Breaks off what works on the response.
    func cancel() {
        task?.cancel()
        let pending = pending
        self.pending = nil
        pending?.cancel()
    }

    /// Notes that the body is waited for. Returns until when: waiting costs allowance, bytes earn it, so a body may pause, but not
    /// trickle for ever.
    func awaitBody(since now: MonotonicInstant, _ limits: ServerLimits) -> MonotonicInstant {
        bodyWaitSince = now
        let earned = Duration.milliseconds(bodyBytes * 1000 / max(1, limits.bodyRate))
        let allowance = limits.bodyIdleTime + earned - bodyWait
        return now + min(limits.bodyIdleTime, max(.zero, allowance))
    }

    func endBodyWait(at now: MonotonicInstant) {
        if let since = bodyWaitSince { bodyWait += now.since(since) }
        bodyWaitSince = nil
    }

    /// Breaks off what works on the response, and ends the waiting of whoever reads or writes its bodies.
    func abandon(with error: BodyError = .disconnected) {
        cancel()
        let (reader, writer) = (bodyReader, bodyWriter)
        bodyReader = nil
        bodyWriter = nil
        reader?(.failure(error))
        writer?(.failure(error))
    }

    func finished(at moment: MonotonicInstant, isAborted: Bool) -> Exchange {
        Exchange(
            request: request, status: status ?? .internalServerError, responseBytes: sentBytes,
            duration: moment.since(request.receivedAt), isAborted: isAborted)
    }
}

extension RequestTarget {
    /// What a request that has no path of its own is told of under: `OPTIONS *`, or one that could not be read.
    static let root = RequestTarget("/")!
}
