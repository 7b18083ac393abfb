import GateCore
import NIOHTTP1

/// Fields that every response of our own carries (OWASP Secure Headers).
package struct SecurityHeaders: Sendable {
    private let fields: [(name: String, value: String)]

    /// - Parameters:
    ///   - hsts: how long browsers shall insist on HTTPS; `nil` leaves `Strict-Transport-Security` out.
    ///   - contentSecurityPolicy: for documents that we serve ourselves; `nil` leaves it out.
    ///   - frameOptions: `DENY` or `SAMEORIGIN`; `nil` leaves it out.
    package init(hsts: Duration?, contentSecurityPolicy: String?, frameOptions: String?) {
        var fields: [(name: String, value: String)] = [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "strict-origin-when-cross-origin"),
            ("cross-origin-opener-policy", "same-origin"),

        ]
        if let contentSecurityPolicy { fields.append(("content-security-policy", contentSecurityPolicy)) }
        if let frameOptions { fields.append(("x-frame-options", frameOptions)) }
        if let hsts { fields.append(("strict-transport-security", "max-age=\(hsts.secondsRoundedUp)")) }
        self.fields = fields
    }

    /// Adds them; what the response says itself is left as it is.
    package func decorate(_ response: inout Response) {
        response.headers.reserveCapacity(response.headers.count + fields.count + 10)
        for field in fields where !response.headers.contains(name: field.name) {
            response.headers.add(name: field.name, value: field.value)
        }
    }
}
