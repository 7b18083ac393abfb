import GateCore

/// Fields that every response of our own carries (OWASP Secure Headers).
package struct SecurityHeaders: Sendable {
    private let encoded: EncodedFields
    /// For what goes over plain HTTP.
    private let plain: EncodedFields

    /// - Parameters:
    ///   - hsts: how long browsers shall insist on HTTPS; `nil` leaves `Strict-Transport-Security` out.
    ///   - isHTTPSHere: whether HTTPS is served here; plain HTTP then is plain HTTP, where that field must not be sent (RFC 6797 §7.2), and
    ///     else may be what a proxy turns into HTTPS.
    ///   - contentSecurityPolicy: for documents that we serve ourselves; `nil` leaves it out.
    ///   - frameOptions: `DENY` or `SAMEORIGIN`; `nil` leaves it out.
    /// - Returns: `nil` where a value holds what no header field can.
    package init?(hsts: Duration?, isHTTPSHere: Bool = false, contentSecurityPolicy: String?, frameOptions: String?) {
        var fields = [
            (name: "X-Content-Type-Options", value: "nosniff"),
            (name: "Referrer-Policy", value: "strict-origin-when-cross-origin"),
            (name: "Cross-Origin-Opener-Policy", value: "same-origin"),
        ]
        if let contentSecurityPolicy { fields.append(("Content-Security-Policy", contentSecurityPolicy)) }
        if let frameOptions { fields.append(("X-Frame-Options", frameOptions)) }
        guard let plain = EncodedFields(fields) else { return nil }
        if let hsts { fields.append(("Strict-Transport-Security", "max-age=\(hsts.secondsRoundedUp)")) }
        guard let encoded = EncodedFields(fields) else { return nil }
        self.encoded = encoded
        self.plain = isHTTPSHere ? plain : encoded
    }

    /// - Parameter scheme: how the request came.
    package func decorate(_ response: inout Response, over scheme: Request.Scheme) {
        response.encodedFields.append(scheme == .https ? encoded : plain)
    }
}
