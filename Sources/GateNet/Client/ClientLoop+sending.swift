import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1

extension ClientLoops.Loop {
    /// Sends a request and collects its response. To be called on this event loop.
    func send(_ request: OutgoingRequest, to destination: Destination) async throws(OutgoingError) -> OutgoingResponse {
        let wire = StreamedRequest(
            request.method, request.url.target.raw, headers: request.headers,
            body: request.body.readableBytes > 0 ? .bytes(request.body) : .empty, mayResend: Self.isSafe(request.method))
        let client = context.value
        let call = OutgoingCall(
            wire, to: client.pool.host(destination), request.url.authority, limits: .whole(request.timeLimit), on: client)
        let response = try await head(of: call).get()
        return OutgoingResponse(
            response.status, headers: response.headers,
            body: try await Self.collect(response, upTo: request.responseLimit, from: destination))
    }

    /// Whether a request with that method means to change nothing (RFC 9110 §9.2.1).
    private static func isSafe(_ method: HTTPMethod) -> Bool {
        switch method {
        case .GET, .HEAD, .OPTIONS, .TRACE: true
        default: false
        }
    }

    /// Sends the request, and returns with the head of its response, or all of it. To be called on this event loop; whoever goes on
    /// afterwards may find itself elsewhere.
    func head(of call: OutgoingCall) async -> OutgoingCall.Outcome {
        let client = context.value
        let bound = NIOLoopBound(call, eventLoop: client.eventLoop)
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { client.start(call, .task($0)) }
        } onCancel: {
            bound.eventLoop.execute { bound.value.cancel() }
        }
    }

    private static func collect(
        _ response: StreamedResponse, upTo limit: Int, from destination: Destination
    ) async throws(OutgoingError) -> ByteBuffer {
        switch response.body {
        case .whole(let bytes):
            guard bytes.readableBytes <= limit else { throw .tooLarge(destination, limit: limit) }
            return bytes
        case .tunnel: throw .badResponse(destination, .malformed("It switches protocols without having been asked to."), hasBegun: true)
        case .stream(let length, let stream):
            var body = ByteBuffer()
            var isTooLarge = length ?? 0 > limit
            while !isTooLarge, case .part(let part) = try await stream.step().get() {
                isTooLarge = body.readableBytes + part.readableBytes > limit
                if body.readableBytes == 0 { body = part } else { body.writeImmutableBuffer(part) }
            }
            guard !isTooLarge else {
                stream.breakOff(.tooLarge(destination, limit: limit))
                throw .tooLarge(destination, limit: limit)
            }
            return body
        }
    }
}
