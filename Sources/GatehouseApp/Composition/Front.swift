import GateAPI
import GateAccess
import GateCore
import GateHTTP
import GateLimits
import GateNet
import GateProxy
import Logging

/// What is made of the configuration anew when that is read again: rules, routes, and who answers them. What it stands on stays.
struct Front: Sendable {
    let configuration: Configuration
    let api: API
    /// `nil` where there are no sites.
    let gateway: Gateway?
    let upstreams: [Upstream]

    /// - Parameters:
    ///   - client: reaches the applications, wherever the operator says they are.
    ///   - previous: what it takes the place of; servers of applications that stay keep their health and their numbers.
    /// - Throws: `ConfigurationFaults` for files that cannot be used.
    init(_ configuration: Configuration, of composition: Composition, client: HTTPClient, log: Logger, previous: Front? = nil) throws {
        self.configuration = configuration
        guard let securityHeaders = SecurityHeaders(configuration) else {
            throw CommandFailure(.configuration, "headers.content_security_policy holds a control character.")
        }
        let baseURL = configuration.publicURL.description + (configuration.api.prefix.map(\.text) ?? "")
        let identity = composition.identity
        let limits = RequestLimits(store: composition.backends.limits, policies: configuration.limits.requestPolicies)
        let cors = CORSPolicy(origins: configuration.cors.origins.map(\.description))
        let cookie = SessionCookie(isSecure: configuration.cookiesAreSecure)
        let doorkeeper = Doorkeeper(
            identity: identity, limits: limits, assertions: composition.assertions, cookie: cookie, cors: cors,
            publicURL: configuration.publicURL.description, time: composition.time, log: log)
        let builder = SiteBuilder(
            configuration, composition, client: client, cookie: cookie, baseURL: baseURL, log: log, previous: previous?.upstreams ?? [])
        let (directory, upstreams) = try builder.build()
        self.upstreams = upstreams
        api = API(
            services: APIServices(
                identity: identity, limits: limits, health: composition.health, cors: cors,
                crossSite: CrossSiteRule(ownOrigin: configuration.publicURL.description, allowed: cors), doorkeeper: doorkeeper,
                doors: directory,
                otherDoor: Door(
                    name: configuration.publicURL.host, access: .signedIn,
                    policies: configuration.limits.routePolicies([Configuration.Limits.PolicyName.site.rawValue])),
                trustedProxies: configuration.listen.trustedProxies, securityHeaders: securityHeaders, cookie: cookie,
                publicURL: baseURL, bodyLimit: configuration.http.maxBody.bytes, time: composition.time, log: log))
        let needsGateway = !configuration.sites.isEmpty || configuration.api.host != nil || configuration.api.prefix != nil
        gateway =
            needsGateway
            ? Gateway(
                directory, own: api, at: OwnRoutePlace(host: configuration.api.host, prefix: configuration.api.prefix),
                doorkeeper: doorkeeper, ownSecurity: securityHeaders, baseURL: baseURL)
            : nil
    }

    var responder: any Responder { gateway ?? api }

    /// What plain HTTP answers where it leads to HTTPS.
    var redirect: HTTPSRedirect {
        HTTPSRedirect(to: configuration.publicURL, names: configuration.acme.domains, sites: gateway?.directory, api: api, next: responder)
    }
}

extension SecurityHeaders {
    fileprivate convenience init?(_ configuration: Configuration) {
        let headers = configuration.headers
        self.init(
            hsts: headers.hsts > .zero ? headers.hsts : nil, isHTTPSHere: configuration.tls.mode != .off,
            contentSecurityPolicy: headers.contentSecurityPolicy.isEmpty ? nil : headers.contentSecurityPolicy,
            frameOptions: headers.frameOptions == .off ? nil : headers.frameOptions.rawValue)
    }
}

extension Configuration.Limits {
    fileprivate var requestPolicies: [RequestLimits.Policy: LimitPolicy] {
        var all: [RequestLimits.Policy: LimitPolicy] = [:]
        for name in PolicyName.allCases {
            guard let key = RequestLimits.Policy(rawValue: name.rawValue) else { continue }
            all[key] = LimitPolicy(name: name.rawValue, limit: policies[name].limit, window: policies[name].window)
        }
        return all
    }

    /// The policies of those names that sites can be counted under.
    func routePolicies(_ names: [String]) -> [RoutePolicy] {
        names.compactMap { name in
            if let own = custom.first(where: { $0.name == name }) {
                return RoutePolicy(LimitPolicy(name: name, limit: own.limit, window: own.window), key: own.key.key)
            }
            guard let known = PolicyName(rawValue: name) else { return nil }
            let policy = LimitPolicy(name: name, limit: policies[known].limit, window: policies[known].window)
            return RoutePolicy(policy, key: known == .site ? siteSubject.key : .user)
        }
    }
}

extension Configuration.Limits.PolicySubject {
    fileprivate var key: RoutePolicy.Key {
        switch self {
        case .user: .user
        case .network: .network
        case .session: .session
        }
    }
}
