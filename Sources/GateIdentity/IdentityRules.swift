package import GateLimits

/// What the operator decides about accounts.
package struct IdentityRules: Sendable {
    package enum Registration: String, CaseIterable, Sendable { case open, invite, closed }

    package var registration = Registration.open
    package var accessTokenLifetime = Duration.seconds(15 * 60)
    /// From sign-in to the absolute end.
    package var sessionLifetime = Duration.seconds(30 * 86_400)
    /// How long after its first use a refresh token may be presented again.
    package var refreshGrace = Duration.seconds(10)
    /// How long who failed to log in waits before the next attempt.
    package var loginBackoff = LoginBackoff()
    package var password = PasswordRules()

    /// In users; some 600 bytes each.
    package var profileCacheCapacity = 10_000
    /// In sessions; some 100 bytes each.
    package var cookieCacheCapacity = 50_000
    /// How long a session found by its cookie is believed to be alive without asking the database again.
    package var cookieCacheLifetime = Duration.seconds(60)

    package init() {}
}
