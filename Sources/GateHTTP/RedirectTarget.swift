/// Where a browser may be sent once it is signed in: a path of our own, or an address of an origin that is listed (CWE-601).
///
/// Strict by construction: what is not plainly one of the two is refused, rather than what is known to be evil.
package struct RedirectTarget: Hashable, Sendable {
    /// For `Location`, as it was given.
    package let location: String

    /// In bytes; longer ones are refused.
    package static let maximumLength = 2048

    /// - Parameter origins: as browsers write them: scheme, host, and port where it is not the scheme's own; lower case.
    /// - Returns: `nil` for everything else: another origin, `//host`, a backslash, which browsers read as a slash, user information, a
    ///   scheme without slashes, control characters, spaces, and a first slash or backslash in disguise (`/%2f`).
    package init?(_ text: String, origins: Set<String>) {
        guard text.utf8.count <= Self.maximumLength, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else {
            return nil
        }
        guard Self.isOwnPath(text) || origins.contains(where: { Self.isAddress(text, of: $0) }) else { return nil }
        location = text
    }

    private static func isOwnPath(_ text: String) -> Bool {
        guard text.hasPrefix("/") else { return false }
        let rest = text.dropFirst()
        return !rest.hasPrefix("/") && !["%2f", "%5c"].contains(rest.prefix(3).lowercased())
    }

    /// The origin whole, then nothing or what ends a host.
    private static func isAddress(_ text: String, of origin: String) -> Bool {
        guard text.hasPrefix(origin) else { return false }
        return text.dropFirst(origin.count).first.map { "/?#".contains($0) } ?? true
    }
}
