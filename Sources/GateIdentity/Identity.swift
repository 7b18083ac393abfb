package import GateCore
package import GateCrypto

/// The accounts: everything that can be done with users, sessions and organisations.
///
/// Each use case is a method in a file of its own, named with its verb; the folders are the features. They throw ``IdentityError``
/// for what the caller got wrong, and `StorageError` where the database failed: that is never "signed out".
package struct Identity: Sendable {
    package var users: any UserStore
    package var sessions: any SessionStore
    package var organisations: any OrganisationStore
    package var revocationStore: any RevocationStore
    package var loginFailures: any LoginFailureStore

    package var revocations: RevocationList
    package var passwords: PasswordHasher
    package var accessTokens: AccessTokenIssuer
    package var sessionTokens: SessionTokenIssuer
    package var profiles: ProfileCache
    package var cookies: SessionCookieCache

    package var rules: IdentityRules
    package var time: any TimeSource
    package var entropy: any Entropy
}

/// What the operator decides.
package struct IdentityRules: Sendable {
    package enum Registration: String, CaseIterable, Sendable { case open, invite, closed }

    package var registration = Registration.open
    package var accessTokenLifetime = Duration.seconds(15 * 60)
    package var sessionLifetime = Duration.seconds(30 * 86_400)
    /// How long a refresh token that was used may be presented again.
    package var refreshGrace = Duration.seconds(10)
    package var password = PasswordRules()

    package init() {}
}
