import NIOHTTP1

/// Fields behind a body. A receiver may treat them as if they stood in the head (RFC 9110 §6.5.1), so what is not passed on there is not
/// here either, and nothing that decides who asks, for what, or how long the body is.
enum PassedTrailers {
    static func fields(_ trailers: HTTPHeaders) -> HTTPHeaders {
        if trailers.isEmpty { return trailers }
        return HTTPHeaders(trailers.filter { isPassedOn($0.name) })
    }

    private static func isPassedOn(_ name: String) -> Bool {
        var name = name
        return name.withUTF8 { octets in
            let octets = UnsafeRawBufferPointer(octets)
            return RequestFieldRules.part(of: octets) == .passedOn && !barred.contains(octets)
        }
    }

    private static let barred = FieldNameSet([
        "authorization", "cookie", "set-cookie", "content-type", "content-encoding", "content-range", "trailer", "cache-control", "origin",
        "range", "www-authenticate", "location", "x-http-method-override",
    ])
}
