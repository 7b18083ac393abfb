package import NIOCore
package import NIOHTTP1

/// What asks other servers: the port behind which ACME, OAuth, mail and storage reach the network.
///
/// Certificates are verified. Redirects are not followed: they come back as responses. Nothing is tried twice, but for a kept connection
/// that turns out to have been closed: before any of the request was sent; or, where the method is safe (RFC 9110 §9.2.1), before any of
/// the response came. Then once.
package protocol OutgoingHTTP: Sendable {
    /// Any status is a response; only what brought none is an error. Cancelling the task gives the request up.
    func send(_ request: OutgoingRequest) async throws(OutgoingError) -> OutgoingResponse
}

package struct OutgoingRequest: Sendable {
    package var method: HTTPMethod
    package var url: HTTPURL
    /// Without `Host`, `Content-Length` and `Connection`, which are the client's to set.
    package var headers: HTTPHeaders
    package var body: ByteBuffer
    /// For the whole of it: name, connection, handshake, request, response.
    package var timeLimit: Duration
    /// The largest response body that is taken in, in bytes.
    package var responseLimit: Int

    package init(
        _ method: HTTPMethod, _ url: HTTPURL, headers: HTTPHeaders = [:], body: ByteBuffer = ByteBuffer(),
        timeLimit: Duration = .seconds(30),
        responseLimit: Int = 1 << 20
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeLimit = timeLimit
        self.responseLimit = responseLimit
    }
}

package struct OutgoingResponse: Sendable {
    package var status: HTTPResponseStatus
    package var headers: HTTPHeaders
    package var body: ByteBuffer

    package init(_ status: HTTPResponseStatus, headers: HTTPHeaders = [:], body: ByteBuffer = ByteBuffer()) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// Why a request brought no response.
package struct OutgoingError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Reason: Hashable, Sendable {
        /// The name has no address, or no name server answered.
        case nameNotFound
        /// Nobody listens there: the port refuses, or there is no such Unix socket or nobody at it.
        case refused
        /// The file of a Unix socket is not this user's to use.
        case notPermitted
        /// Unreachable, or no socket to be had.
        case connectionFailed
        /// The certificate is not trusted, has expired, or is for another name.
        case untrustedCertificate
        /// The handshake failed otherwise.
        case tls
        case timedOut
        /// The connection ended before the response did.
        case disconnected
        /// What came is no HTTP response, or is larger than allowed.
        case badResponse
        /// What was to be sent is no HTTP request: a field with a line break in it, say. Nothing was sent.
        case badRequest
        /// Too many requests wait for a connection already, or this one has waited for too long. Nothing was sent.
        case overloaded
        /// The address is one that this request may not reach (CHECKLIST 59).
        case forbiddenAddress
        case cancelled
    }

    /// How far a request came before it failed: what decides whether it may be sent elsewhere.
    package enum Progress: Int, Comparable, Hashable, Sendable {
        /// No byte of it has left this machine: no server can have begun with it.
        case nothingSent
        /// A server may have begun with it. No byte of a response came.
        case sent
        case responseBegun

        package static func < (left: Progress, right: Progress) -> Bool { left.rawValue < right.rawValue }
    }

    package let reason: Reason
    /// For the operator: names the host and what failed.
    package let description: String
    package var progress: Progress
    /// Whether a body that is a stream has been read from: then it cannot be sent again.
    package var isBodyBegun: Bool

    package init(_ reason: Reason, _ description: String, progress: Progress = .nothingSent, isBodyBegun: Bool = false) {
        self.reason = reason
        self.description = description
        self.progress = progress
        self.isBodyBegun = isBodyBegun
    }
}
