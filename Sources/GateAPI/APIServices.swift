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
    /// Who may pass to applications, and by which door: for those who ask on behalf of another proxy.
    package let doorkeeper: Doorkeeper
    package let doors: any DoorDirectory
    /// For what no site covers.
    package let otherDoor: Door
    /// Whose word about a request is taken.
    package let trustedProxies: [IPNetwork]
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
        doorkeeper: Doorkeeper, doors: any DoorDirectory, otherDoor: Door, trustedProxies: [IPNetwork],
        securityHeaders: SecurityHeaders, cookie: SessionCookie, publicURL: String, bodyLimit: Int, time: any TimeSource, log: Logger
    ) {
        self.identity = identity
        self.limits = limits
        self.health = health
        self.cors = cors
        self.crossSite = crossSite
        self.doorkeeper = doorkeeper
        self.doors = doors
        self.otherDoor = otherDoor
        self.trustedProxies = trustedProxies
        self.securityHeaders = securityHeaders
        self.cookie = cookie
        self.publicURL = publicURL
        self.bodyLimit = bodyLimit
        self.time = time
        self.log = log
    }
}
