package import GateLimits

/// A limit policy, and whom it counts: what a route's requests are counted under.
package struct RoutePolicy: Hashable, Sendable {
    /// What is counted together. The raw value is the one of the configuration.
    package enum Key: String, CaseIterable, Sendable {
        /// What one user asks for, from wherever; by network for those who are not signed in.
        case user
        /// What comes from one network, see `IPAddress.limitedNetwork`.
        case network
        /// What one session asks for; by network for those who are not signed in.
        case session
    }

    package var policy: LimitPolicy
    package var key: Key

    package init(_ policy: LimitPolicy, key: Key) {
        self.policy = policy
        self.key = key
    }
}
