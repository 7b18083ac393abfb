package import GateCore
package import GateCrypto
package import NIOCore

/// How outgoing connections use TLS. Made once and shared: the authorities are read when it is made, not for each connection.
package struct TLSClientConfiguration: Sendable {
    /// From the connection's beginning to the end of the handshake; beyond it, ``TLSError/timedOut``.
    package var handshakeTime: Duration = .seconds(10)
    let context: TLSClientContext

    package init(context: TLSClientContext) { self.context = context }

    /// Trusts the system's authorities.
    ///
    /// - Parameters:
    ///   - authorities: PEM; authorities that are trusted besides, such as a private one's.
    ///   - time: by whose wall clock certificates are valid.
    /// - Throws: where no certificate can be read from `authorities`.
    package init(authorities: [UInt8]? = nil, time: any TimeSource = SystemTime()) throws(CryptoError) {
        context = try TLSClientContext(authorities: authorities, time: time)
    }

    /// The handler of one connection, to be added before it is active or afterwards.
    ///
    /// What is written before the handshake is complete waits for it. ``TLSHandler/handshaken`` tells what was agreed on; where it
    /// fails the channel is closed, and the error goes through the pipeline too.
    /// - Parameters:
    ///   - host: the DNS name or IP address that the server's certificate must be for; without brackets.
    ///   - protocols: offered by ALPN, the preferred first; none where the protocol is known.
    package func handler(
        for host: String, protocols: [ApplicationProtocol] = [], on eventLoop: any EventLoop
    ) throws(CryptoError) -> TLSHandler {
        let engine = try TLSEngine(client: context, host: host, protocols: protocols.map(\.rawValue))
        return TLSHandler(engine, isServer: false, eventLoop: eventLoop, handshakeTime: handshakeTime)
    }
}

extension TLSClientConfiguration: Hashable {
    /// Whether both trust the same: as they are made once and shared, by their identity.
    package static func == (left: TLSClientConfiguration, right: TLSClientConfiguration) -> Bool {
        left.context === right.context && left.handshakeTime == right.handshakeTime
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(context)) }
}
