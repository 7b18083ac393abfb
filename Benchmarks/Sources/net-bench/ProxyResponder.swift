import GateHTTP
import GateNet
import NIOCore
import NIOHTTP1

/// Passes every request on to one server, with the least that a proxy has to do: what the gateway's own rules cost comes on top.
struct ProxyResponder: Responder {
    let endpoint: Endpoint

    func respond(to request: Request) -> Answer {
        let passed = StreamedRequest(
            request.method, request.target.raw, authority: request.authority, headers: request.headers, body: request.body)
        guard let loop = endpoint.loop else { return .now(Response(.internalServerError)) }
        let pending = PendingResponse(on: loop.eventLoop)
        pending.whenCancelled(
            endpoint.begin(passed, on: loop) { outcome in
                switch outcome {
                case .success(let answer): pending.resolve(Self.response(answer))
                case .failure: pending.resolve(Response(.badGateway))
                }
            })
        return .pending(pending)
    }

    private static func response(_ answer: StreamedResponse) -> Response {
        let body: ResponseBody =
            switch answer.body {
            case .whole(let bytes): .bytes(bytes)
            case .stream(let length, let stream):
                .stream(length: length) { writer in
                    while let part = try await stream.next() { try await writer.write(part) }
                }
            case .tunnel: .empty
            }
        var response = Response(answer.status, body: body)
        var lines: [UInt8] = []
        lines.reserveCapacity(answer.fields.lines.readableBytes)
        answer.fields.forEach { name, _, line in
            if !StreamedResponse.isHopByHop(name) { lines += line }
        }
        response.encodedFields = EncodedFields(lines: lines)
        return response
    }
}
