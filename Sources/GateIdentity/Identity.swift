package import GateCore
package import GateCrypto
import Synchronization

/// The accounts: everything that can be done with users, sessions and organisations.
///
/// Each use case is a method in a file of its own, named with its verb; the folders are the features. They throw ``IdentityError``
/// for what the caller got wrong, and `StorageError` where the database failed: that is never "signed out".
///
/// What changes something is first durable in the stores, then known to the memory of this process (revocations, caches) and told to the
/// other instances, and only then answered.
package final class Identity: Sendable {
    package let users: any UserStore
    package let sessions: any SessionStore
    package let organisations: any OrganisationStore
    package let revocationStore: any RevocationStore
    package let loginFailures: any LoginFailureStore

    package let revocations: RevocationList
    package let passwords: PasswordHasher
    package let accessTokens: AccessTokenIssuer
    package let sessionTokens: SessionTokenIssuer
    private let accountHashKey: Secret
    package let profiles: ProfileCache
    package let cookies: SessionCookieCache
    let jumps: ClockJumpGuard
    package let changes: any ChangeFeed
    let lease: MemoryLease
    let outbox = Mutex(ChangeOutbox())
    /// Takes the keys that other instances have made until it was called. It bounds by itself how often the database is asked, however many
    /// unknown tokens come, and whether it answers or not; it throws `StorageError` only.
    let refreshKeys: @Sendable () async throws -> Void

    package let rules: IdentityRules
    package let time: any TimeSource
    package let entropy: any Entropy

    package init(
        users: any UserStore, sessions: any SessionStore, organisations: any OrganisationStore, revocationStore: any RevocationStore,
        loginFailures: any LoginFailureStore, passwords: PasswordHasher, accessTokens: AccessTokenIssuer,
        accountHashKey: Secret, sessionTokens: SessionTokenIssuer, changes: any ChangeFeed = SoleInstance(),
        refreshKeys: @escaping @Sendable () async throws -> Void = {}, rules: IdentityRules = IdentityRules(),
        time: any TimeSource, entropy: any Entropy
    ) {
        self.users = users
        self.sessions = sessions
        self.organisations = organisations
        self.revocationStore = revocationStore
        self.loginFailures = loginFailures
        self.passwords = passwords
        self.accessTokens = accessTokens
        self.sessionTokens = sessionTokens
        self.accountHashKey = accountHashKey
        self.rules = rules
        self.time = time
        self.entropy = entropy
        revocations = RevocationList()
        profiles = ProfileCache(capacity: rules.profileCacheCapacity)
        cookies = SessionCookieCache(capacity: rules.cookieCacheCapacity, lifetime: rules.cookieCacheLifetime)
        jumps = ClockJumpGuard()
        self.changes = changes
        self.refreshKeys = refreshKeys
        lease = MemoryLease(isShared: changes.isShared)
    }

    /// A number for an address that nobody without the server's key can tell the address from: what limits and failed log-ins are
    /// counted by.
    package func accountHash(_ email: EmailAddress) -> UInt64 {
        HMACSHA256.authenticate(Array(email.text.utf8), key: accountHashKey).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
