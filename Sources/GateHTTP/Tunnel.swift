/// A connection, or a stream of one, that carries bytes of another protocol in both directions after an upgrade (RFC 9110 §7.8) or an
/// extended CONNECT (RFC 8441 §4).
package protocol Tunnel: BodyStream, BodyWriter {
    /// Ends our direction once what was written is out; the other may go on. Whoever returns from its use of the tunnel without it
    /// breaks the tunnel off.
    func finish() async throws(BodyError)
}
