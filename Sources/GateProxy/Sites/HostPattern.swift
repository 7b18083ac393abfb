/// The hosts of a site: one, all names directly under one, or any.
package enum HostPattern: Hashable, Sendable {
    /// Lower case, without a port.
    case exact(String)
    /// `*.example.com`: what follows the star, with its dot. One label stands for the star (as in a certificate, RFC 6125 §6.4.3).
    case wildcard(suffix: String)
    case any
}
