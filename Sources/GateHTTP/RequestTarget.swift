/// What a request line asks for, in origin form (RFC 9112 §3.2.1): a path and perhaps a query.
///
/// The path is kept exactly as sent. Routes and access rules look at it as it will be passed on, so a spelling with two readings
/// (`%2f`, `//`, `..`, `;`) cannot mean one thing to the rule and another to what lies behind (CHECKLIST 32).
package struct RequestTarget: Hashable, Sendable {
    package let raw: String
    /// Of the path, in octets.
    private let pathLength: Int

    /// `nil` where `text` is no origin form: it does not begin with `/`, or holds a byte that RFC 3986 does not allow.
    package init?(_ text: String) {
        guard text.utf8.first == UInt8(ascii: "/"), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }) else {
            return nil
        }
        raw = text
        pathLength =
            text.utf8.firstIndex(of: UInt8(ascii: "?")).map { text.utf8.distance(from: text.startIndex, to: $0) } ?? text.utf8.count
    }

    /// As sent, `/` at least.
    package var path: Substring { raw[..<pathEnd] }

    /// What follows the first `?`, without it; `nil` where there is none.
    package var query: Substring? { pathLength == raw.utf8.count ? nil : raw[raw.utf8.index(after: pathEnd)...] }

    private var pathEnd: String.Index { raw.utf8.index(raw.startIndex, offsetBy: pathLength) }

    /// The value of a query parameter, decoded as form data; the first where there are several.
    package func queryValue(_ name: String) -> String? {
        guard let query else { return nil }
        for pair in query.split(separator: "&", omittingEmptySubsequences: true) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard FormEncoding.decode(parts[0]) == name else { continue }
            return parts.count == 2 ? FormEncoding.decode(parts[1]) : ""
        }
        return nil
    }
}
