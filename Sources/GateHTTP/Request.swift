package import GateCore
package import NIOHTTP1

/// One request, as it came from a connection. An object that nothing changes: it is handed on from one part to the next, and copying its
/// fields each time cost more than most of those parts do.
package final class Request: Sendable {
    /// What ties a request to its lines in the log; sent back as `X-Request-Id`.
    package let id: RequestID
    package let method: HTTPMethod
    package let target: RequestTarget
    package let headers: HTTPHeaders
    package let body: RequestBody
    /// The other end of the connection; `nil` on a Unix socket.
    package let peer: IPAddress?
    /// Whose request it is: the peer, or whom a trusted proxy names. `nil` on a Unix socket.
    package let client: IPAddress?
    /// How the client reached us, or the trusted proxy in front of us.
    package let scheme: Scheme
    /// `Host`, or `:authority`, lower case, with the port if one was given.
    package let authority: String
    package let version: Version
    /// The protocol that the client would rather speak on this connection, or stream, in lower case (`websocket`); `nil` where it asks
    /// for none. From `Upgrade` (RFC 9110 §7.8), or from the `:protocol` of an extended CONNECT (RFC 8441 §4), which is told of as the
    /// GET that it stands for. Whoever agrees answers with ``ResponseBody/tunnel(_:)``; any other response declines.
    package let upgrade: String?
    package let receivedAt: MonotonicInstant

    package enum Scheme: String, Sendable { case http, https }

    package enum Version: String, Sendable {
        case http10 = "1.0"
        case http11 = "1.1"
        case http2 = "2"
    }

    package init(
        id: RequestID, method: HTTPMethod, target: RequestTarget, headers: HTTPHeaders = [:], body: RequestBody = .empty,
        peer: IPAddress? = nil, client: IPAddress? = nil, scheme: Scheme = .http, authority: String = "",
        version: Version = .http11, upgrade: String? = nil, receivedAt: MonotonicInstant = MonotonicInstant(nanoseconds: 0)
    ) {
        self.id = id
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.peer = peer
        self.client = client
        self.scheme = scheme
        self.authority = authority
        self.version = version
        self.upgrade = upgrade
        self.receivedAt = receivedAt
    }

    /// The same request but for what is given.
    package func with(
        method: HTTPMethod? = nil, target: RequestTarget? = nil, headers: HTTPHeaders? = nil, body: RequestBody? = nil,
        scheme: Scheme? = nil, authority: String? = nil
    ) -> Request {
        Request(
            id: id, method: method ?? self.method, target: target ?? self.target, headers: headers ?? self.headers, body: body ?? self.body,
            peer: peer, client: client, scheme: scheme ?? self.scheme, authority: authority ?? self.authority, version: version,
            upgrade: upgrade, receivedAt: receivedAt)
    }
}

/// 16 characters that no other request of this process has, and hardly one of another.
package struct RequestID: Hashable, Sendable, CustomStringConvertible {
    package let value: UInt64
    package init(value: UInt64) { self.value = value }

    /// - Parameter text: as ``description`` has it: 16 digits, letters in lower case. Anything else is none.
    package init?(_ text: String) {
        guard text.utf8.count == 16, let value = UInt64(text, radix: 16), RequestID(value: value).description == text else { return nil }
        self.value = value
    }

    package var description: String {
        String(unsafeUninitializedCapacity: 16) { buffer in
            UnsafeMutableRawBufferPointer(buffer).storeBytes(of: Hex.digits(of: value), as: (UInt64, UInt64).self)
            return 16
        }
    }
}
