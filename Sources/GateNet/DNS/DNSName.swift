/// A domain name (RFC 1035 §3.1): labels of any bytes, compared without regard to the case of ASCII letters (RFC 4343). Always fully
/// qualified; the root has no label.
package struct DNSName: Hashable, Sendable, CustomStringConvertible {
    /// In lower case, the leftmost first; 1 to 63 bytes each.
    package let labels: [[UInt8]]

    package static let root = DNSName(unchecked: [])

    /// The most bytes that a name may have on the wire, length bytes and the root's zero included.
    static let sizeLimit = 255

    private init(unchecked labels: [[UInt8]]) { self.labels = labels }

    /// `nil` where a label is empty or longer than 63 bytes, or the whole is longer than 255.
    package init?(labels: [[UInt8]]) {
        guard labels.allSatisfy({ (1...63).contains($0.count) }), labels.reduce(1, { $0 + $1.count + 1 }) <= Self.sizeLimit else {
            return nil
        }
        self.labels = labels.map { $0.map(Self.lowered) }
    }

    /// Reads `app.example.com`, with or without the dot at the end. Names beyond ASCII are given in their `xn--` form; there are no
    /// escapes.
    package init?(_ text: some StringProtocol) {
        var bytes = Array(text.utf8)[...]
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        guard bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        self.init(labels: bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map(Array.init))
    }

    /// The name without its first label; `nil` for the root.
    package var parent: DNSName? { labels.isEmpty ? nil : DNSName(unchecked: Array(labels.dropFirst())) }

    package var isWildcard: Bool { labels.first == [UInt8(ascii: "*")] }

    /// Uncompressed.
    var wire: [UInt8] { labels.flatMap { [UInt8($0.count)] + $0 } + [0] }

    /// Without the dot at the end, the root apart; bytes that are no part of a host name as `\DDD` (RFC 1035 §5.1).
    package var description: String {
        labels.isEmpty
            ? "."
            : labels.map { label in
                label.map { byte in
                    (0x21...0x7E).contains(byte) && byte != UInt8(ascii: ".") && byte != UInt8(ascii: "\\")
                        ? String(UnicodeScalar(byte)) : "\\\(byte / 100)\(byte / 10 % 10)\(byte % 10)"
                }.joined()
            }.joined(separator: ".")
    }

    private static func lowered(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
