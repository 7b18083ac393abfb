package import GateHTTP
package import NIOHTTP1

/// A request whose body may be on its way still: what a proxy passes on.
package struct StreamedRequest: Sendable {
    package var method: HTTPMethod
    package var url: HTTPURL
    /// What `Host` says; `nil` for the URL's own.
    package var authority: String?
    /// Without `Host`, `Content-Length`, `Transfer-Encoding`, `Connection` and `Keep-Alive`, which are dropped: the client sets them.
    package var headers: HTTPHeaders
    package var body: RequestBody
    /// Until the head of the response is there. Every part that is sent of the body starts ``idleLimit`` instead.
    package var timeLimit: Duration
    /// Between two parts of a body, in either direction.
    package var idleLimit: Duration

    package init(
        _ method: HTTPMethod, _ url: HTTPURL, authority: String? = nil, headers: HTTPHeaders = [:], body: RequestBody = .empty,
        timeLimit: Duration = .seconds(60), idleLimit: Duration = .seconds(60)
    ) {
        self.method = method
        self.url = url
        self.authority = authority
        self.headers = headers
        self.body = body
        self.timeLimit = timeLimit
        self.idleLimit = idleLimit
    }
}

/// A response whose body follows. Letting go of the body before its end gives the exchange up.
package struct StreamedResponse: Sendable {
    package let status: HTTPResponseStatus
    package let headers: HTTPHeaders
    /// Of the body, where it is known beforehand.
    package let length: Int?
    package let body: any BodyStream
}
