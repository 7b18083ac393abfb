import GateCore

/// A `Set-Cookie` field with the attributes that a session's cookie must have: HttpOnly, SameSite=Lax, Path=/ and no Domain
/// (CHECKLIST 11, RFC 6265bis §4.1).
package struct SessionCookie: Sendable {
    /// `__Host-gatehouse` where cookies are secure: browsers then take it from this very host over HTTPS only.
    package let name: String
    package let isSecure: Bool
    let nameBytes: [UInt8]

    package init(isSecure: Bool) {
        self.isSecure = isSecure
        name = isSecure ? "__Host-gatehouse" : "gatehouse"
        nameBytes = Array(name.utf8)
    }

    package func set(_ value: String, maxAge: Duration) -> String { "\(name)=\(value); Max-Age=\(maxAge.secondsRoundedUp)\(attributes)" }

    package var clear: String { "\(name)=; Max-Age=0\(attributes)" }

    private var attributes: String { "; Path=/; HttpOnly; SameSite=Lax" + (isSecure ? "; Secure" : "") }
}
