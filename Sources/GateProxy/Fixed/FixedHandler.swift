package import GateAccess
package import GateHTTP
import NIOCore
import NIOHTTP1

/// Answers every request of a route with the same text.
package struct FixedHandler: RouteHandler {
    private let response: Response

    package init(_ answer: FixedAnswer) {
        let status = HTTPResponseStatus(statusCode: answer.status)
        guard status.mayHaveResponseBody else {
            response = Response(status)
            return
        }
        response = Response(status, headers: ["content-type": answer.contentType], body: .bytes(ByteBuffer(string: answer.body)))
    }

    package func answer(_ admitted: AdmittedRequest) -> Answer { .now(response) }
}
