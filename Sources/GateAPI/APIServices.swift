package import GateCore
package import GateHTTP
package import GateIdentity
package import Logging

/// What the routes are given to work with.
package struct APIServices: Sendable {
    package var identity: Identity
    package var limits: RequestLimits
    package var health: HealthReport
    package var cors: CORSPolicy
    package var crossSite: CrossSiteRule
    package var securityHeaders: SecurityHeaders
    package var cookie: SessionCookie
    /// Without a slash at its end.
    package var publicURL: String
    /// The most bytes that a JSON or form body may have.
    package var bodyLimit: Int
    package var time: any TimeSource
    package var log: Logger

    package init(
        identity: Identity, limits: RequestLimits, health: HealthReport, cors: CORSPolicy, crossSite: CrossSiteRule,
        securityHeaders: SecurityHeaders, cookie: SessionCookie, publicURL: String, bodyLimit: Int, time: any TimeSource, log: Logger
    ) {
        self.identity = identity
        self.limits = limits
        self.health = health
        self.cors = cors
        self.crossSite = crossSite
        self.securityHeaders = securityHeaders
        self.cookie = cookie
        self.publicURL = publicURL
        self.bodyLimit = bodyLimit
        self.time = time
        self.log = log
    }
}
