import GateAccess
import GateCore
import GateHTTP
import GateNet
import NIOHTTP1

/// A request on its way to an application: as the client sent it, and as it is passed on. Handed on as one reference: copying the two cost
/// more than making them.
final class UpstreamExchange: Sendable {
    /// As it came, see ``AdmittedRequest/arrived``.
    let request: Request
    /// What the client is told beside the answer.
    let responseFields: EncodedFields
    /// `nil` where the request's body is none, or has come with its head.
    let body: ForwardedBody?
    let handshake: WebSocketHandshake?
    /// As it is sent to the first of the servers.
    private let outgoing: StreamedRequest

    init(
        _ admitted: __shared AdmittedRequest, for handler: UpstreamHandler, bodyLimit: Int?, _ entropy: any Entropy
    ) throws(RequestFieldRules.Fault) {
        let request = admitted.arrived
        responseFields = admitted.responseFields
        let rules = handler.upstream.rules
        handshake = request.upgrade == WebSocketHandshake.upgrade ? WebSocketHandshake(request, entropy) : nil
        var fields = try handler.requestFields.fields(of: admitted, webSocketKey: handshake.flatMap { $0.isOurs ? $0.key : nil })
        fields.append(admitted.identityFields)
        let sent: RequestBody
        if handshake != nil {
            sent = .empty
            body = nil
        } else if case .stream(let length, let source) = request.body {
            let counted = ForwardedBody(source, limit: bodyLimit)
            sent = .stream(length: length, counted)
            body = counted
        } else {
            sent = request.body
            body = nil
        }
        self.request = request
        outgoing = StreamedRequest(
            request.method, handler.upstream.paths[0].target(for: request.target), authority: handler.requestFields.authority(for: request),
            encodedFields: fields, body: sent, upgrade: handshake == nil ? nil : WebSocketHandshake.upgrade,
            expectsContinue: body != nil && request.headers.contains(name: "expect"),
            acceptsTrailers: request.headers.contains(name: "te") && request.headers[canonicalForm: "te"].contains("trailers"),
            mayResend: UpstreamFailure.isIdempotent(request.method), responseTime: rules.responseTime, idleTime: rules.idleTime)
    }

    func outgoing(to index: Int, of upstream: Upstream) -> StreamedRequest {
        if index == 0 || upstream.paths[index].isSame(as: upstream.paths[0]) { return outgoing }
        return outgoing.aimed(at: upstream.paths[index].target(for: request.target))
    }
}
