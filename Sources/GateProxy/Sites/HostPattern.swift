/// The hosts of a site: one, all names directly under one, or any.
package enum HostPattern: Hashable, Sendable {
    /// Lower case, without a port.
    case exact(String)
    /// `*.example.com`: what follows the star, with its dot. One label stands for the star (as in a certificate, RFC 6125 §6.4.3).
    case wildcard(suffix: String)
    case any
}

extension HostPattern {
    /// The host of an authority: without the port, and without the dot that ends a name of the DNS.
    static func host(of authority: String) -> Substring {
        var host = authority[...]
        if let colon = authority.utf8.lastIndex(of: UInt8(ascii: ":")), authority.utf8[colon...].allSatisfy({ $0 != UInt8(ascii: "]") }) {
            host = authority[..<colon]
        }
        return host.utf8.last == UInt8(ascii: ".") ? host.dropLast() : host
    }
}
