import GateCore
package import GateHTTP
import Glibc
import NIOHTTP1

/// Security fields for the answers of applications: each is added where the application says nothing of the kind.
///
/// Fewer than those of our own answers: a content security policy or an opener policy is the application's to know.
package struct SiteSecurityHeaders: Sendable {
    /// The lines to add, by the set of those that are there.
    private let encrypted: [EncodedFields]
    private let plain: [EncodedFields]

    private static let names: [StaticString] = [
        "x-content-type-options", "referrer-policy", "x-frame-options", "strict-transport-security",
    ]

    /// - Parameters:
    ///   - hsts: how long browsers shall insist on HTTPS; `nil` leaves `Strict-Transport-Security` out.
    ///   - isHTTPSHere: as in `SecurityHeaders`.
    ///   - isFramedByItself: whether `X-Frame-Options: SAMEORIGIN` is among them.
    package init(hsts: Duration?, isHTTPSHere: Bool, isFramedByItself: Bool) {
        var lines: [String?] = [
            "X-Content-Type-Options: nosniff\r\n", "Referrer-Policy: strict-origin-when-cross-origin\r\n",
            isFramedByItself ? "X-Frame-Options: SAMEORIGIN\r\n" : nil, nil,
        ]
        func table() -> [EncodedFields] {
            (0..<1 << lines.count).map { present in
                let missing = lines.indices.filter { present & 1 << $0 == 0 }
                return EncodedFields(lines: missing.flatMap { Array((lines[$0] ?? "").utf8) })
            }
        }
        let withoutHSTS = table()
        lines[3] = hsts.map { "Strict-Transport-Security: max-age=\($0.secondsRoundedUp)\r\n" }
        encrypted = table()
        plain = isHTTPSHere ? withoutHSTS : encrypted
    }

    /// - Parameter scheme: how the request came.
    package func decorate(_ response: inout Response, over scheme: Request.Scheme) {
        var present = Self.present(in: response.encodedFields.first) | Self.present(in: response.encodedFields.second)
        if !response.encodedFields.rest.isEmpty { present |= Self.present(in: response.encodedFields.rest) }
        for field in response.headers {
            var name = field.name
            present |= name.withUTF8 { Self.bit(of: $0) }
        }
        let fields = (scheme == .https ? encrypted : plain)[present]
        if fields.count > 0 { response.encodedFields.append(fields) }
    }

    private static func present(in lines: [UInt8]) -> Int {
        lines.withUnsafeBufferPointer { lines in
            var present = 0
            var start = 0
            while start < lines.count {
                guard let end = memchr(lines.baseAddress! + start, Int32(UInt8(ascii: "\n")), lines.count - start) else { break }
                let next = UnsafeRawPointer(end) - UnsafeRawPointer(lines.baseAddress!) + 1
                for (place, name) in names.enumerated() {
                    let length = name.utf8CodeUnitCount
                    guard start + length < next, lines[start + length] == UInt8(ascii: ":"),
                        matches(UnsafeBufferPointer(rebasing: lines[start..<start + length]), name)
                    else { continue }
                    present |= 1 << place
                }
                start = next
            }
            return present
        }
    }

    private static func bit(of name: UnsafeBufferPointer<UInt8>) -> Int {
        for (place, known) in names.enumerated() where matches(name, known) { return 1 << place }
        return 0
    }

    private static func matches(_ name: UnsafeBufferPointer<UInt8>, _ known: StaticString) -> Bool {
        guard name.count == known.utf8CodeUnitCount else { return false }
        for index in 0..<name.count {
            let byte = name[index]
            let lower = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
            guard lower == known.utf8Start[index] else { return false }
        }
        return true
    }
}
