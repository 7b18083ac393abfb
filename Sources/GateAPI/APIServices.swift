package import GateAccess
package import GateCore
package import GateHTTP
package import GateIdentity
package import Logging

/// What the routes are given to work with.
package final class APIServices: Sendable {
    package let identity: Identity
    package let limits: RequestLimits
    package let health: HealthReport
    package let cors: CORSPolicy
    package let crossSite: CrossSiteRule
    package let securityHeaders: SecurityHeaders
    package let cookie: SessionCookie
    /// Without a slash at its end.
    package let publicURL: String
    /// The most bytes that a JSON or form body may have.
    package let bodyLimit: Int
    package let time: any TimeSource
    package let log: Logger

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
