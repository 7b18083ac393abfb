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

    /// Whether a browser that takes this value of a `Set-Cookie` field would send it as a session's cookie. A cookie without a name is sent as
    /// its value alone, which may look like another's name and value.
    package func isSet(by value: UnsafeRawBufferPointer) -> Bool {
        let pair = value.prefix { $0 != UInt8(ascii: ";") }
        var rest = pair.drop(while: Self.isSpace)
        if rest.first == UInt8(ascii: "=") { rest = rest.dropFirst().drop(while: Self.isSpace) }
        guard rest.starts(with: nameBytes) else { return false }
        return rest.dropFirst(nameBytes.count).drop(while: Self.isSpace).first == UInt8(ascii: "=")
    }

    private static func isSpace(_ octet: UInt8) -> Bool { octet == 0x20 || octet == 0x09 }

    private var attributes: String { "; Path=/; HttpOnly; SameSite=Lax" + (isSecure ? "; Secure" : "") }
}
