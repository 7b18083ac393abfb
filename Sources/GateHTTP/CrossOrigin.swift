import NIOHTTP1

/// Which other origins may read answers, with cookies (Fetch Standard §3.2, CHECKLIST 14).
package struct CORSPolicy: Sendable {
    package let origins: Set<String>

    /// `origins` as browsers write them: scheme, host, and port where it is not the scheme's own; lower case.
    package init(origins: some Sequence<String>) { self.origins = Set(origins) }

    /// Whether it asks what a page of another origin may do.
    package static func isPreflight(_ request: Request) -> Bool {
        guard case .OPTIONS = request.method else { return false }
        return request.headers.contains(name: "access-control-request-method") && request.headers.contains(name: "origin")
    }

    /// Whether this is a preflight, and what answers it.
    package func preflight(_ request: Request) -> Response? {
        guard Self.isPreflight(request) else { return nil }
        var response = Response(.noContent)
        response.headers.add(name: "vary", value: "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
        guard let origin = allowedOrigin(request) else { return response }
        response.headers.add(name: "access-control-allow-origin", value: origin)
        response.headers.add(name: "access-control-allow-credentials", value: "true")
        response.headers.add(name: "access-control-allow-methods", value: "GET, HEAD, POST, PUT, PATCH, DELETE")
        response.headers.add(name: "access-control-allow-headers", value: "Authorization, Content-Type, X-Request-Id")
        response.headers.add(name: "access-control-max-age", value: "600")
        return response
    }

    /// Adds what a browser needs to hand the answer to its page; nothing where no other origin is allowed at all.
    package func decorate(_ response: inout Response, for request: Request) {
        guard !origins.isEmpty else { return }
        response.headers.add(name: "vary", value: "Origin")
        guard let origin = allowedOrigin(request) else { return }
        response.headers.add(name: "access-control-allow-origin", value: origin)
        response.headers.add(name: "access-control-allow-credentials", value: "true")
        response.headers.add(
            name: "access-control-expose-headers",
            value: "X-Request-Id, Retry-After, RateLimit, RateLimit-Policy, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset")
    }

    package func allows(_ origin: String) -> Bool { origins.contains(origin) }

    private func allowedOrigin(_ request: Request) -> String? {
        let sent = request.headers["origin"]
        guard sent.count == 1, origins.contains(sent[0]) else { return nil }
        return sent[0]
    }
}

/// Whether an unsafe request that is signed in by a cookie was made by our own pages (CHECKLIST 12).
///
/// A browser says where a request comes from in `Sec-Fetch-Site`, which no page can forge, and older ones in `Origin`. An unsafe
/// method needs one of them to say "same origin"; a listed CORS origin is as good. Where both are sent, both must agree.
package struct CrossSiteRule: Sendable {
    private let ownOrigin: String
    /// The only host on which ``ownOrigin`` counts; `nil` for any.
    private let ownAuthority: Substring?
    private let allowed: CORSPolicy

    /// - Parameters:
    ///   - ownOrigin: the public URL's.
    ///   - isOwnEverywhere: whether its pages may ask whatever host they are told to, as they may for what is ours; to an application,
    ///     another host is another site.
    package init(ownOrigin: String, isOwnEverywhere: Bool = true, allowed: CORSPolicy) {
        self.ownOrigin = ownOrigin
        ownAuthority = isOwnEverywhere ? nil : ownOrigin.firstRange(of: "://").map { ownOrigin[$0.upperBound...] }
        self.allowed = allowed
    }

    package func permits(_ request: Request) -> Bool {
        switch request.method {
        case .GET, .HEAD, .OPTIONS, .TRACE: true
        default: isFromOwnPages(request)
        }
    }

    /// Whether the browser says so, whatever the method.
    package func isFromOwnPages(_ request: Request) -> Bool {
        let origins = request.headers["origin"]
        let sites = request.headers["sec-fetch-site"]
        guard origins.count <= 1, sites.count <= 1 else { return false }
        if let origin = origins.first {
            if allowed.allows(origin) { return true }
            let isOwn = origin == ownOrigin && (ownAuthority.map { $0 == request.authority } ?? true)
            guard isOwn || origin == "\(request.scheme.rawValue)://\(request.authority)" else { return false }
            return sites.first.map { $0 == "same-origin" } ?? true
        }
        return sites.first == "same-origin"
    }
}
