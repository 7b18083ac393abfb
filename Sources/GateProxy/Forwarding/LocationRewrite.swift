import GateHTTP

/// How references to the application's own paths, in `Location` and `Content-Location`, become those that its client can follow.
///
/// Only a path, or an address at the host that the client asked: what leads elsewhere is the application's to say, and an address that it
/// made of `X-Forwarded-Prefix` is right already.
struct LocationRewrite {
    private let paths: PathRewrite
    private let scheme: Request.Scheme
    private let authority: String

    /// - Returns: `nil` where the application's paths are the client's.
    init?(_ paths: PathRewrite, for request: Request) {
        guard paths.changesPaths else { return nil }
        self.paths = paths
        scheme = request.scheme
        authority = request.authority
    }

    /// What the field says to the client; `nil` where it stays as it is.
    func outside(_ reference: UnsafeRawBufferPointer) -> String? {
        guard let reference = String(validating: reference, as: UTF8.self), let start = pathStart(of: reference) else { return nil }
        let end = reference.utf8[start...].firstIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") } ?? reference.endIndex
        let path = start == end ? "/" : reference[start..<end]
        return paths.outside(path).map { reference[..<start] + $0 + reference[end...] }
    }

    /// Where the path begins; `nil` where the reference leads to another host, or is relative to the page.
    private func pathStart(of reference: String) -> String.Index? {
        let octets = reference.utf8
        let isSlash: (UInt8) -> Bool = { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }
        if octets.first == UInt8(ascii: "/"), octets.dropFirst().first.map(isSlash) != true { return reference.startIndex }
        var rest = octets[...]
        var isHTTPS = scheme == .https
        for prefix in ["https:", "http:"]
        where octets.prefix(prefix.utf8.count).elementsEqual(prefix.utf8, by: { Octet.lowercased($0) == $1 }) {
            rest = rest.dropFirst(prefix.utf8.count)
            isHTTPS = prefix == "https:"
            break
        }
        guard rest.starts(with: "//".utf8) else { return nil }
        rest = rest.dropFirst(2)
        let end = rest.firstIndex { isSlash($0) || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") } ?? rest.endIndex
        let host = Self.withoutDefaultPort(reference[rest.startIndex..<end], isHTTPS)
        // Only browsers take a backslash for a slash.
        guard end == octets.endIndex || octets[end] != UInt8(ascii: "\\") else { return nil }
        guard !host.isEmpty, host == Self.withoutDefaultPort(authority[...], scheme == .https) else { return nil }
        return end
    }

    /// In lower case.
    private static func withoutDefaultPort(_ authority: Substring, _ isHTTPS: Bool) -> String {
        let port = isHTTPS ? ":443" : ":80"
        return (authority.hasSuffix(port) ? authority.dropLast(port.count) : authority).lowercased()
    }
}
