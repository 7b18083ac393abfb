import GateCore
import GateHTTP
import NIOHTTP1

/// Security fields for the answers of applications: each is added where the application says nothing of the kind.
///
/// Fewer than those of our own answers: a content security policy or an opener policy is the application's to know.
package final class SiteSecurityHeaders: Sendable {
    /// Those of the fields that an answer has already.
    struct Present: OptionSet {
        let rawValue: Int

        init(rawValue: Int) { self.rawValue = rawValue }

        /// Of one field; most are none of them, which their length tells.
        init(_ name: UnsafeRawBufferPointer) {
            switch name.count {
            case 15 where Octet.matches(name, "referrer-policy"): self = .referrerPolicy
            case 15 where Octet.matches(name, "x-frame-options"): self = .frameOptions
            case 22 where Octet.matches(name, "x-content-type-options"): self = .contentTypeOptions
            case 25 where Octet.matches(name, "strict-transport-security"): self = .transportSecurity
            default: self = []
            }
        }

        static let contentTypeOptions = Present(rawValue: 1)
        static let referrerPolicy = Present(rawValue: 2)
        static let frameOptions = Present(rawValue: 4)
        static let transportSecurity = Present(rawValue: 8)
    }

    /// The lines to add, by the set of those that are there.
    private let encrypted: [[UInt8]]
    private let plain: [[UInt8]]

    /// - Parameters:
    ///   - hsts: how long browsers shall insist on HTTPS; `nil` leaves `Strict-Transport-Security` out.
    ///   - isHTTPSHere: as in `SecurityHeaders`.
    ///   - isFramedByItself: whether `X-Frame-Options: SAMEORIGIN` is among them.
    package init(hsts: Duration?, isHTTPSHere: Bool, isFramedByItself: Bool) {
        var lines: [(Present, String)] = [
            (.contentTypeOptions, "X-Content-Type-Options: nosniff\r\n"),
            (.referrerPolicy, "Referrer-Policy: strict-origin-when-cross-origin\r\n"),
        ]
        if isFramedByItself { lines.append((.frameOptions, "X-Frame-Options: SAMEORIGIN\r\n")) }
        func table() -> [[UInt8]] {
            (0..<16).map { present in lines.filter { !Present(rawValue: present).contains($0.0) }.flatMap { Array($0.1.utf8) } }
        }
        let withoutHSTS = table()
        if let hsts { lines.append((.transportSecurity, "Strict-Transport-Security: max-age=\(hsts.secondsRoundedUp)\r\n")) }
        encrypted = table()
        plain = isHTTPSHere ? withoutHSTS : encrypted
    }

    /// The lines to add to an answer that has `present`.
    ///
    /// - Parameter scheme: how the request came.
    func lines(beside present: Present, over scheme: Request.Scheme) -> [UInt8] {
        switch scheme {
        case .https: encrypted[present.rawValue]
        case .http: plain[present.rawValue]
        }
    }

    /// The most bytes that ``lines(beside:over:)`` has.
    var longest: Int { encrypted[0].count }

    func decorate(_ response: inout Response, over scheme: Request.Scheme) {
        var present: Present = []
        for field in response.headers {
            var name = field.name
            present.formUnion(name.withUTF8 { Present(UnsafeRawBufferPointer($0)) })
        }
        for field in response.encodedFields.fields {
            var name = field.name
            present.formUnion(name.withUTF8 { Present(UnsafeRawBufferPointer($0)) })
        }
        response.encodedFields.append(EncodedFields(lines: lines(beside: present, over: scheme)))
    }
}
