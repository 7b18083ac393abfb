import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1

/// The exchange that a connection is at.
struct CurrentExchange {
    /// Told by what a task holds of its exchange whether it is still the one: a number, so that nothing has to be unhooked.
    let number: UInt64
    let id: RequestID
    let method: HTTPMethod
    let target: RequestTarget
    let isHTTP11: Bool
    /// Looked at when the response is there: what it accepts, and who sent it.
    let headers: HTTPHeaders
    let client: IPAddress?
    let receivedAt: MonotonicInstant

    /// Whether the request itself lets the connection stay.
    var keepsAlive: Bool
    /// `100 Continue` is owed before the body comes.
    var owesContinue: Bool
    var status: HTTPResponseStatus?
    var sentBytes = 0
    var framing = ResponseHeadEncoder.Framing.none
    var staysOpen = false
    var task: Task<Void, Never>?
    var bodyReader: CheckedContinuation<Result<ByteBuffer?, BodyError>, Never>?
    var bodyWriter: CheckedContinuation<Result<Void, BodyError>, Never>?
    /// Time that was spent waiting for the body, and what came of it.
    var bodyWait: Duration = .zero
    var bodyWaitSince: MonotonicInstant?
    var bodyBytes = 0

    func finished(at moment: MonotonicInstant, isAborted: Bool) -> Exchange {
        Exchange(
            id: id, method: method, target: target, client: client, status: status ?? .internalServerError, responseBytes: sentBytes,
            duration: moment.since(receivedAt), userAgent: headers.first(name: "user-agent"), isAborted: isAborted)
    }
}
