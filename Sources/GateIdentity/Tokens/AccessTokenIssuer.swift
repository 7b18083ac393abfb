package import GateCore
package import GateCrypto
import Synchronization

/// Signs access tokens and verifies them (RFC 9068).
package final class AccessTokenIssuer: Sendable {
    package let issuer: String
    package let audience: String
    /// How far a clock may lag behind the one that wrote `iat` or `nbf`; at most a minute. Expiry has no leeway: the end that
    /// clients are told is the end.
    package let leeway: Duration

    /// Tokens that were issued before it are refused, whatever else is good about them: since a restore, what was revoked after the backup
    /// is not known any more.
    package let validFrom: Timestamp?

    private let keys: Mutex<SigningKeyRing>
    private let verified: VerifiedTokenCache<VerifiedToken>

    /// The `typ` of the token's header (RFC 9068 §2.1): tokens of other kinds, signed with the same key, are refused.
    package static let type = "at+jwt"
    package static let maximumLeeway = Duration.seconds(60)

    /// - Parameter rememberedTokens: how many verified tokens are kept; some 1.2 KB each.
    package init(
        issuer: String, audience: String, keys: SigningKeyRing, leeway: Duration = .seconds(30), rememberedTokens: Int = 8192,
        validFrom: Timestamp? = nil
    ) {
        self.issuer = issuer
        self.audience = audience
        self.leeway = min(max(leeway, .zero), Self.maximumLeeway)
        self.validFrom = validFrom
        self.keys = Mutex(keys)
        verified = VerifiedTokenCache(capacity: rememberedTokens)
    }

    /// Signs a token for a session. It expires after `lifetime`, and never after the session.
    package func issue(
        for profile: UserProfile, session: Session, lifetime: Duration, at now: Timestamp, entropy: some Entropy
    ) throws(CryptoError) -> (token: Secret, claims: AccessToken) {
        let membership = profile.memberships.first
        let issuedAt = Timestamp(seconds: now.seconds)
        let claims = AccessToken(
            id: AccessToken.ID(at: now, entropy: entropy), userID: profile.user.id, sessionID: session.id, issuedAt: issuedAt,
            notBefore: issuedAt, expiresAt: Timestamp(seconds: min(now + lifetime, session.expiresAt).seconds),
            email: profile.user.email, isEmailVerified: profile.user.isEmailVerified, organisationID: membership?.organisation.id,
            roles: membership.map { [$0.role.rawValue] } ?? [])
        let ring = keys.withLock { $0 }
        let token = try ring.sign(payload: claims.payload(issuer: issuer, audience: audience), typ: Self.type)
        return (Secret(token), claims)
    }

    /// What a token says that we signed, for this audience, and that is good now. Whether it was revoked is not looked at.
    ///
    /// - Parameter token: its text.
    /// - Throws: `.tokenExpired` after `exp`, and before `iat` or `nbf` less the leeway (a clock was set back: a refresh gives one
    ///   that fits); `.tokenRevoked` before ``validFrom``; `.notAuthenticated` for everything else.
    package func verify(_ token: Span<UInt8>, at now: Timestamp) throws(IdentityError) -> VerifiedToken {
        guard let found = verified.find(token, orVerify: verifySignature) else { throw .notAuthenticated }
        guard found.goodFrom <= now, now < found.claims.expiresAt else { throw .tokenExpired }
        if let validFrom, found.claims.issuedAt < validFrom { throw .tokenRevoked }
        return found
    }

    private func verifySignature(_ token: String) -> VerifiedToken? {
        let ring = keys.withLock { $0 }
        guard let payload = try? ring.verify(token, typ: Self.type) else { return nil }
        return AccessToken(payload: payload, issuer: issuer, audience: audience).map { VerifiedToken($0, leeway: leeway) }
    }

    /// Whether a text says that it is one of ours, and nothing else: anybody can write that.
    package func isSaidToBeOurs(_ token: String) -> Bool {
        guard let token = JWS.parse(token), token.header["typ"]?.string == Self.type, let claims = try? JSON(parsing: token.payload) else {
            return false
        }
        return claims["iss"]?.string == issuer
    }

    /// Signs and verifies with other keys from now on.
    package func replaceKeys(_ ring: SigningKeyRing) {
        keys.withLock { $0 = ring }
        verified.removeAll()
    }

    /// What others verify our tokens with; an empty set where the keys are secret.
    package var jwks: JSON { keys.withLock { $0 }.jwks }

    package var rememberedTokens: Int { verified.count }
}
