package import GateHTTP
package import NIOCore
package import NIOHTTP1

/// A response whose body may follow.
package struct StreamedResponse: Sendable {
    package enum Body: Sendable {
        /// All of it, perhaps nothing: it came with the head, and the connection serves others already.
        case whole(ByteBuffer)
        /// Letting go of it before its end breaks the exchange off. `length` is that of `Content-Length`.
        case stream(length: Int?, ResponseBodyStream)
        /// The status is 101, and the protocol the one that was asked for. Letting go of it breaks the connection off.
        case tunnel(any Tunnel)
    }

    private let head: ResponseHead
    package let body: Body

    init(_ head: ResponseHead, _ body: Body) {
        self.head = head
        self.body = body
    }

    package var status: HTTPResponseStatus { head.status }
    /// All the fields as they came, those between the server and us among them (RFC 9110 §7.6.1): see ``isHopByHop(_:)``.
    package var fields: FieldSection { head.fields }
    /// The value of the `Connection` field, where it names more than `close`, `keep-alive` and `upgrade`: fields not to be passed on.
    package var connectionOptions: String? { head.connectionOptions }
    /// What `Content-Length` says: of the body, or of the one that was left out (an answer to `HEAD`, a 304).
    package var length: Int? { head.contentLength }
    package var headers: HTTPHeaders { head.fields.headers }
}

extension StreamedResponse {
    /// Whether the field is between the server and us whatever `Connection` says: that, `Keep-Alive`, `Proxy-Connection`, `TE`,
    /// `Transfer-Encoding`, `Upgrade`, `Proxy-Authenticate`; and `Content-Length`, which is told by ``length``.
    @inlinable
    package static func isHopByHop(_ name: UnsafeRawBufferPointer) -> Bool {
        switch name.count {
        case 2: Octet.matches(name, "te")
        case 7: Octet.matches(name, "upgrade")
        case 10: Octet.matches(name, "connection") || Octet.matches(name, "keep-alive")
        case 14: Octet.matches(name, "content-length")
        case 16: Octet.matches(name, "proxy-connection")
        case 17: Octet.matches(name, "transfer-encoding")
        case 18: Octet.matches(name, "proxy-authenticate")
        default: false
        }
    }
}
