package import GateHTTP
package import GateProxy
import NIOHTTP1

/// What plain HTTP answers where there is HTTPS: the health calls, which load balancers make without TLS, and for everything else the same
/// address with https.
///
/// 308 keeps the method and the body (RFC 9110 §15.4.9). The `Host` of a request chooses among our own names only; for any other, and for
/// none, the redirect leads to the public URL (CHECKLIST 23, 28).
package struct HTTPSRedirect: Responder {
    private let publicURL: WebOrigin
    private let names: Set<String>
    private let sites: SiteDirectory?
    private let api: any Responder
    private let next: any Responder

    /// - Parameters:
    ///   - names: the hosts that HTTPS is served for besides that of `publicURL`, in lower case.
    ///   - sites: whose hosts are served as well.
    ///   - api: answers the health calls.
    ///   - next: answers what a trusted proxy received over HTTPS; `nil` for `api`.
    package init(
        to publicURL: WebOrigin, names: [String], sites: SiteDirectory? = nil, api: any Responder, next: (any Responder)? = nil
    ) {
        self.publicURL = publicURL
        self.names = Set(names)
        self.sites = sites
        self.api = api
        self.next = next ?? api
    }

    /// Browsers keep a permanent redirect for as long as they like: after a mistake in the configuration, an hour is long enough.
    private static let cacheControl = "max-age=3600"

    private static let healthPaths: Set<Substring> = [
        "/health", "/api/health", "/api/v1/health", "/api/v1/health/live", "/api/v1/health/ready",
    ]

    package func respond(to request: Request) -> Answer {
        if request.scheme == .https { return next.respond(to: request) }
        if Self.healthPaths.contains(request.target.path) { return api.respond(to: request) }
        let location = origin(for: request.authority).description + request.target.raw
        return .now(Response(.permanentRedirect, headers: ["location": location, "cache-control": Self.cacheControl]))
    }

    private func origin(for authority: String) -> WebOrigin {
        guard var host = splitHostAndPort(authority[...])?.host else { return publicURL }
        if host.hasSuffix(".") { host.removeLast() }
        let name = String(host)
        return names.contains(name) || HostName.isValid(name) && sites?.names(name) == true
            ? WebOrigin(scheme: .https, host: name, port: publicURL.port) : publicURL
    }
}
