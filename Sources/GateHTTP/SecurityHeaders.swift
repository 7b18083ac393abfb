import GateCore
import NIOHTTP1

/// Fields that every response of our own carries (OWASP Secure Headers).
package final class SecurityHeaders: Sendable {
    private struct Encoded: Sendable {
        var whole: EncodedFields
        /// Without `Content-Security-Policy`.
        var withoutPolicy: EncodedFields
    }

    private let encrypted: Encoded
    /// For what goes over plain HTTP.
    private let plain: Encoded

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
        if let frameOptions { fields.append(("X-Frame-Options", frameOptions)) }
        guard let plain = Self.encoded(fields, contentSecurityPolicy) else { return nil }
        if let hsts { fields.append(("Strict-Transport-Security", "max-age=\(hsts.secondsRoundedUp)")) }
        guard let encrypted = Self.encoded(fields, contentSecurityPolicy) else { return nil }
        self.encrypted = encrypted
        self.plain = isHTTPSHere ? plain : encrypted
    }

    private static func encoded(_ fields: [(name: String, value: String)], _ policy: String?) -> Encoded? {
        let policies = policy.map { [(name: "Content-Security-Policy", value: $0)] } ?? []
        guard let whole = EncodedFields(fields + policies), let withoutPolicy = EncodedFields(fields) else { return nil }
        return Encoded(whole: whole, withoutPolicy: withoutPolicy)
    }

    /// A document with a policy of its own keeps that one: two would hold both (CSP 3 §8.1).
    ///
    /// - Parameter scheme: how the request came.
    package func decorate(_ response: inout Response, over scheme: Request.Scheme) {
        let fields = scheme == .https ? encrypted : plain
        let hasPolicy = response.headers.contains(name: "content-security-policy")
        response.encodedFields.append(hasPolicy ? fields.withoutPolicy : fields.whole)
    }
}
