import GateCore

/// What an authentic access token says, in the forms in which each request with it is asked about it.
package final class VerifiedToken: Sendable {
    package let claims: AccessToken
    package let principal: Principal
    /// `iat` or `nbf`, less the leeway.
    let goodFrom: Timestamp

    init(_ claims: AccessToken, leeway: Duration) {
        self.claims = claims
        principal = Principal(claims)
        goodFrom = claims.notBefore - leeway
    }
}
