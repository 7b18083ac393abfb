package import NIOHTTP1

/// A connection, or a stream of one, that carries bytes of another protocol in both directions after an upgrade (RFC 9110 §7.8) or an
/// extended CONNECT (RFC 8441 §4).
///
/// One task may read while another writes. ``BodyStream/next()`` gives `nil` where the other end has ended its direction; ours may go on.
/// Nothing limits how long a tunnel may idle, that is its user's to do. Once its task is cancelled nothing is waited for any more.
package protocol Tunnel: BodyStream, BodyWriter {
    /// Ends our direction once what was written is out; the other may go on. Whoever returns from its use of the tunnel without it
    /// breaks the tunnel off.
    func finish() async throws(BodyError)
}

extension Tunnel {
    /// Nothing: a tunnel has no fields.
    package func trailers(_ fields: HTTPHeaders) async {}
}
