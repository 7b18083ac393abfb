package import GateCore
package import GateCrypto
package import GateIdentity
import Synchronization

/// Signs what an application can verify by itself: that Gatehouse says who a request is from, to this application, now.
///
/// A JWT with `typ: gatehouse-assertion+jwt`, always signed with a key whose public half is published at `/.well-known/jwks.json`.
/// Claims: `iss`, `aud` (the site's name), `sub`, `sid`, `iat`, `exp`, `email`, `email_verified`, `name`, `org`, `roles`. No `jti`: one
/// assertion serves all requests of a session for a while.
package final class AssertionIssuer: Sendable {
    package let issuer: String
    private let keys: Mutex<SigningKeyRing>

    /// The `typ` of the header (RFC 8725 §3.11): an access token is no assertion, nor the other way round.
    package static let type = "gatehouse-assertion+jwt"
    /// From `iat` to `exp`.
    package static let lifetime = Duration.seconds(60)

    /// - Parameter keys: EdDSA or ES256; whoever can verify with HS256 could also sign.
    package init(issuer: String, keys: SigningKeyRing) {
        precondition(keys.current.algorithm != .hs256)
        self.issuer = issuer
        self.keys = Mutex(keys)
    }

    /// - Parameter audience: the site's name.
    package func issue(for principal: Principal, audience: String, at now: Timestamp) throws(CryptoError) -> String {
        let claims = Self.payload(issuer: issuer, audience: audience, principal, at: now)
        let ring = keys.withLock { $0 }
        return try ring.sign(payload: claims, typ: Self.type)
    }

    private static func payload(issuer: String, audience: String, _ principal: Principal, at now: Timestamp) -> [UInt8] {
        var writer = JSONWriter(reserving: 384)
        writer.beginObject()
        writer.member("iss", issuer)
        writer.member("aud", audience)
        writer.member("sub", principal.userID.description)
        writer.member("sid", principal.sessionID.description)
        writer.member("iat", now.seconds)
        writer.member("exp", min(now + lifetime, principal.expiresAt).seconds)
        writer.member("email", principal.email.text)
        writer.member("email_verified", principal.isEmailVerified)
        if let name = principal.name { writer.member("name", name) }
        if let organisationID = principal.organisationID { writer.member("org", organisationID.description) }
        writer.name("roles")
        writer.beginArray()
        for role in principal.roles { writer.value(role) }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    /// Signs with other keys from now on.
    package func replaceKeys(_ ring: SigningKeyRing) { keys.withLock { $0 = ring } }

    /// What applications verify with (RFC 7517 §5).
    package var jwks: JSON { keys.withLock { $0 }.jwks }
}
