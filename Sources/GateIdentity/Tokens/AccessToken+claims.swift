import GateCore

extension AccessToken {
    /// The claims as a JSON object (RFC 9068 §2.2).
    func payload(issuer: String, audience: String) -> [UInt8] {
        var writer = JSONWriter(reserving: 384)
        writer.beginObject()
        writer.member("iss", issuer)
        writer.member("aud", audience)
        writer.member("sub", userID.description)
        writer.member("sid", sessionID.description)
        writer.member("jti", id.description)
        writer.member("iat", issuedAt.seconds)
        writer.member("exp", expiresAt.seconds)
        writer.member("email", email.text)
        writer.member("email_verified", isEmailVerified)
        if let organisationID { writer.member("org", organisationID.description) }
        writer.name("roles")
        writer.beginArray()
        for role in roles { writer.value(role) }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    /// Reads claims that we signed for this issuer and this audience; `nil` for all others, for a missing claim, and for times
    /// before 1970 or after the year 9999. Whether the times fit the present is not looked at.
    init?(payload: [UInt8], issuer: String, audience: String) {
        guard let claims = try? JSON(parsing: payload), claims["iss"]?.string == issuer, claims["aud"]?.string == audience,
            let id = claims["jti"]?.string.flatMap({ ID($0) }),
            let userID = claims["sub"]?.string.flatMap({ User.ID($0) }),
            let sessionID = claims["sid"]?.string.flatMap({ Session.ID($0) }),
            let issuedAt = Self.time(claims["iat"]), let expiresAt = Self.time(claims["exp"]), issuedAt <= expiresAt,
            let email = claims["email"]?.string.flatMap({ EmailAddress($0) }),
            let isEmailVerified = claims["email_verified"]?.bool,
            let roles = claims["roles"]?.array
        else { return nil }
        let organisation = claims["org"]
        let organisationID = organisation?.string.flatMap { Organisation.ID($0) }
        guard (organisation == nil) == (organisationID == nil), roles.allSatisfy({ $0.string != nil }) else { return nil }
        var notBefore = issuedAt
        if let claim = claims["nbf"] {
            guard let time = Self.time(claim) else { return nil }
            notBefore = max(notBefore, time)
        }
        self.init(
            id: id, userID: userID, sessionID: sessionID, issuedAt: issuedAt, notBefore: notBefore, expiresAt: expiresAt, email: email,
            isEmailVerified: isEmailVerified, organisationID: organisationID, roles: roles.compactMap(\.string))
    }

    /// A NumericDate (RFC 7519 §2) in whole seconds: ours have no fraction.
    private static func time(_ claim: JSON?) -> Timestamp? {
        guard let seconds = claim?.integer, (0...253_402_300_799).contains(seconds) else { return nil }
        return Timestamp(seconds: seconds)
    }
}
