import GateHTTP
import GateNet
import Logging
import NIOCore
import NIOHTTP1

extension UpstreamHandler {
    /// The answer to the client; the server at `index` is held until its last byte has been passed on.
    func pass(_ response: StreamedResponse, of exchange: UpstreamExchange, from index: Int) -> Response {
        let request = exchange.request
        let handshake = exchange.handshake
        let server = upstream.group.servers[index]
        let body: ResponseBody
        switch response.body {
        case .whole(let bytes):
            server.ended()
            if case .HEAD = request.method {
                // Its length is that of the body that GET would bring.
                body = .stream(length: response.length) { _ in }
            } else {
                body = bytes.readableBytes > 0 ? .bytes(bytes) : .empty
            }
        case .stream(let length, let stream):
            let use = UpstreamUse(server)
            body = .stream(length: length) { [self] writer in
                defer { use.end() }
                try await pass(stream, to: writer, of: exchange, from: index)
            }
        case .tunnel(let tunnel):
            let use = UpstreamUse(server)
            guard let handshake, handshake.isAccepted(by: response) else {
                upstream.failed(index, "it agreed to a WebSocket without the proof of RFC 6455 §4.2.2")
                return refusal(Problem(.upstreamUnreachable), request, exchange.responseFields)
            }
            body = .tunnel { client in
                await TunnelBridge.join(client, tunnel)
                use.end()
            }
        }
        let (fields, setsSession) = responseFields.fields(
            response.fields, connectionOptions: response.connectionOptions, over: request.scheme,
            location: LocationRewrite(upstream.paths[index], for: request), leavesOutAccept: handshake?.isOurs == true,
            and: exchange.responseFields)
        if setsSession { tellOfCookie() }
        return Response(response.status, encodedFields: fields, body: body)
    }

    private func pass(_ body: any BodyStream, to writer: any BodyWriter, of exchange: UpstreamExchange, from index: Int) async throws {
        while true {
            let part: ByteBuffer?
            do throws(BodyError) {
                part = try await body.next()
            } catch {
                // Where the client has gone, that is why: nobody is to blame.
                if !Task.isCancelled {
                    upstream.failed(index, "its response broke off (\(error))")
                    tell("An application's response broke off", "\(error)", exchange.request)
                }
                throw error
            }
            guard let part else { break }
            try await writer.write(part)
        }
        let trailers = PassedTrailers.fields(await body.trailers)
        if !trailers.isEmpty { await writer.trailers(trailers) }
    }
}
