import NIOCore
import NIOHTTP1

/// One connection's exchanges, one after the other: what may happen when. Request and response stream past each other; neither waits
/// for the other's end. No socket, no clock.
struct ClientExchangeState {
    enum Step: Equatable, Sendable {
        /// The server asks for the body of the request (100).
        case proceed
        case head(ResponseHead)
        case part(ByteBuffer)
        /// The response has ended; whether the connection can take another request.
        case end(staysOpen: Bool)
        case needsMore
        case failed(ResponseFault)
    }

    private enum Phase {
        case idle
        case exchange
        /// Nothing more can be asked. What has come may still be taken.
        case spent
    }

    private var phase = Phase.idle
    private var reader: ResponseReader
    private var isRequestWhole = false
    private var isInputEnded = false
    private var keepsAlive = true
    /// Whether the connection carries another protocol by now.
    private(set) var isTunnel = false
    /// Requests so far, the current one among them.
    private(set) var count = 0
    /// How long the server will keep the connection, in seconds, where it said so.
    private(set) var keepAliveTimeout: Int?

    init(limits: ClientLimits) { reader = ResponseReader(limits: limits) }

    /// Whether another request may begin.
    var isIdle: Bool {
        if case .idle = phase { !isInputEnded } else { false }
    }

    var bufferedBytes: Int { reader.bufferedBytes }
    /// The fields behind the response's body, once that has ended.
    var trailers: HTTPHeaders? { reader.trailers }
    /// Whether a byte of the current response has come.
    var hasResponseBegun: Bool { reader.hasBegun }
    /// Whether the request has been given to the connection to its last byte.
    var isRequestSent: Bool { isRequestWhole }

    /// - Parameters:
    ///   - isWhole: whether all of the request is sent with its head.
    ///   - upgrade: the protocol that it asks for, in lower case.
    mutating func begin(_ method: HTTPMethod, isWhole: Bool, upgrade: String? = nil) {
        phase = .exchange
        count += 1
        isRequestWhole = isWhole
        keepsAlive = true
        reader.expect(method, upgrade: upgrade)
    }

    mutating func endRequest() { isRequestWhole = true }

    /// Whether the bytes belong to something that was asked. Where not, no request must follow on this connection: they would be taken
    /// for its response.
    mutating func receive(_ bytes: inout ByteBuffer) -> Bool {
        guard case .exchange = phase else { return false }
        reader.append(&bytes)
        return true
    }

    /// The server has closed its side in an orderly way.
    mutating func endInput() {
        isInputEnded = true
        reader.endInput()
    }

    mutating func next() -> Step {
        guard case .exchange = phase else { return .end(staysOpen: false) }
        do throws(ResponseFault) {
            switch try reader.next() {
            case .proceed: return .proceed
            case .head(let head):
                isTunnel = head.framing == .tunnel
                keepsAlive = head.keepsAlive
                keepAliveTimeout = head.keepAliveTimeout ?? keepAliveTimeout
                return .head(head)
            case .part(let part): return .part(part)
            case .needsMore: return .needsMore
            case .end: return .end(staysOpen: end())
            }
        } catch {
            phase = .spent
            return .failed(error)
        }
    }

    /// All of the body and the end of the response, where its length was told with the head that ``next()`` has just given, and it came
    /// with that.
    mutating func takeWholeBody() -> (body: ByteBuffer, staysOpen: Bool)? {
        reader.takeWholeBody().map { ($0, end()) }
    }

    /// A response that came before its request was whole leaves no place for the next one, and bytes behind it were never asked for.
    private mutating func end() -> Bool {
        let staysOpen = keepsAlive && isRequestWhole && !isInputEnded && reader.bufferedBytes == 0
        phase = staysOpen ? .idle : .spent
        return staysOpen
    }
}
