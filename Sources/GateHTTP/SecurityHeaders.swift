import GateCore

/// Fields that every response of our own carries (OWASP Secure Headers).
package struct SecurityHeaders: Sendable {
    private let encoded: EncodedFields

    /// - Parameters:
    ///   - hsts: how long browsers shall insist on HTTPS; `nil` leaves `Strict-Transport-Security` out.
    ///   - contentSecurityPolicy: for documents that we serve ourselves; `nil` leaves it out.
    ///   - frameOptions: `DENY` or `SAMEORIGIN`; `nil` leaves it out.
    /// - Returns: `nil` where a value holds what no header field can.
    package init?(hsts: Duration?, contentSecurityPolicy: String?, frameOptions: String?) {
        var fields = [
            (name: "X-Content-Type-Options", value: "nosniff"),
            (name: "Referrer-Policy", value: "strict-origin-when-cross-origin"),
            (name: "Cross-Origin-Opener-Policy", value: "same-origin"),
        ]
        if let contentSecurityPolicy { fields.append(("Content-Security-Policy", contentSecurityPolicy)) }
        if let frameOptions { fields.append(("X-Frame-Options", frameOptions)) }
        if let hsts { fields.append(("Strict-Transport-Security", "max-age=\(hsts.secondsRoundedUp)")) }
        guard let encoded = EncodedFields(fields) else { return nil }
        self.encoded = encoded
    }

    package func decorate(_ response: inout Response) { response.encodedFields.append(encoded) }
}
