package import NIOCore

/// What turns a connection into one over TLS.
package protocol ClientHandshake: Sendable {
    /// Called on the event loop of a channel that is connected, has no handler yet, and does not read by itself (`autoRead` is off).
    /// Adds its handlers and begins the handshake, for which it asks for bytes itself; afterwards it passes `read` on.
    ///
    /// What arrives behind it is plain text. The server's close_notify arrives as `ChannelEvent.inputClosed`, or closes the channel; an
    /// end without it arrives as an error first.
    ///
    /// - Parameter serverName: the name or address that the certificate must be for.
    /// - Returns: a future of the channel's event loop, done once the certificate has been verified. Fails with an `OutgoingError` whose
    ///   reason is `.untrustedCertificate`, `.tls` or `.disconnected`.
    func secure(_ channel: any Channel, serverName: String) -> EventLoopFuture<Void>
}
