import Glibc

/// What a request line asks for, in origin form (RFC 9112 §3.2.1): a path and perhaps a query.
///
/// The path is kept exactly as sent. Routes and access rules look at it as it will be passed on, so a spelling with two readings
/// (`%2f`, `//`, `..`, `;`) cannot mean one thing to the rule and another to what lies behind (CHECKLIST 32).
@usableFromInline
package struct RequestTarget: Hashable, Sendable {
    @usableFromInline package let raw: String
    /// Of the path, in octets.
    @usableFromInline let pathLength: Int

    /// `nil` where `text` is no origin form: it does not begin with `/`, or holds a byte that RFC 3986 does not allow.
    package init?(_ text: String) {
        var text = text
        guard let length = text.withUTF8(Self.pathLength) else { return nil }
        raw = text
        pathLength = length
    }

    /// Up to the first `?`; `nil` where the octets are no origin form.
    private static func pathLength(_ octets: UnsafeBufferPointer<UInt8>) -> Int? {
        guard octets.first == UInt8(ascii: "/") else { return nil }
        var length = octets.count
        for place in 0..<octets.count {
            let octet = octets[place]
            guard octet > 0x20, octet < 0x7F, octet != UInt8(ascii: "#") else { return nil }
            if octet == UInt8(ascii: "?"), place < length { length = place }
        }
        return length
    }

    /// As sent, `/` at least.
    package var path: Substring { pathLength == raw.utf8.count ? Substring(raw) : raw[..<pathEnd] }

    /// What follows the first `?`, without it; `nil` where there is none.
    package var query: Substring? { pathLength == raw.utf8.count ? nil : raw[raw.utf8.index(after: pathEnd)...] }

    private var pathEnd: String.Index { raw.utf8.index(raw.startIndex, offsetBy: pathLength) }

    /// Calls `body` with the octets of the path. They are valid during the call only.
    @inlinable
    package func withPath<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        raw.utf8.withContiguousStorageIfAvailable { body(UnsafeBufferPointer(rebasing: $0[..<pathLength])) }
            ?? Array(raw.utf8.prefix(pathLength)).withUnsafeBufferPointer(body)
    }

    /// Whether the path begins with `prefix`, which holds no `?`: asked of every request, a few times.
    package func begins(with prefix: StaticString) -> Bool {
        raw.utf8.withContiguousStorageIfAvailable { octets in
            octets.count >= prefix.utf8CodeUnitCount && memcmp(octets.baseAddress!, prefix.utf8Start, prefix.utf8CodeUnitCount) == 0
        } ?? raw.hasPrefix("\(prefix)")
    }

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
