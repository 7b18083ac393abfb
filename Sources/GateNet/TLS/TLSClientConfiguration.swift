package import GateCore
package import GateCrypto
import Synchronization

/// How outgoing connections use TLS. Made once and shared: the authorities are read once, not for each connection.
package struct TLSClientConfiguration: Sendable {
    /// From the connection's beginning to the end of the handshake; beyond it, ``TLSError/timedOut``.
    package var handshakeTime: Duration = .seconds(10)
    private let context: Context

    package init(context: TLSClientContext) { self.context = Context(context) }

    /// Trusts the system's authorities. They alone are read by the first connection that needs them, whose event loop it holds up for
    /// some 5 ms: 1.5 MB, which most servers never need.
    ///
    /// - Parameters:
    ///   - authorities: PEM; authorities that are trusted besides, such as a private one's.
    ///   - time: by whose wall clock certificates are valid.
    /// - Throws: where no certificate can be read from `authorities`.
    package init(authorities: [UInt8]? = nil, time: any TimeSource = SystemTime()) throws(CryptoError) {
        context =
            if let authorities { Context(try TLSClientContext(authorities: authorities, time: time)) } else { Context(time) }
    }

    /// The handler of one connection, to be added before it is active or afterwards.
    ///
    /// What is written before the handshake is complete waits for it. ``TLSHandler/whenHandshaken(_:)`` tells what was agreed on; where it
    /// fails the channel is closed, and the error goes through the pipeline too.
    /// - Parameters:
    ///   - host: the DNS name or IP address that the server's certificate must be for; without brackets.
    ///   - protocols: offered by ALPN, the preferred first; none where the protocol is known.
    package func handler(
        for host: String, protocols: [ApplicationProtocol] = []
    ) throws(CryptoError) -> TLSHandler {
        let engine = try TLSEngine(client: context.made(), host: host, protocols: protocols.map(\.rawValue))
        return TLSHandler(engine, isServer: false, handshakeTime: handshakeTime)
    }
}

extension TLSClientConfiguration {
    /// A client's context, made when it is first asked for.
    private final class Context: Sendable {
        private let state: Mutex<TLSClientContext?>
        private let time: any TimeSource

        init(_ time: any TimeSource) {
            state = Mutex(nil)
            self.time = time
        }

        init(_ context: TLSClientContext) {
            state = Mutex(context)
            time = context.time
        }

        func made() throws(CryptoError) -> TLSClientContext {
            try state.withLock { state throws(CryptoError) in
                if let state { return state }
                let made = try TLSClientContext(time: time)
                state = made
                return made
            }
        }
    }
}

extension TLSClientConfiguration: Hashable {
    /// Whether both trust the same: as they are made once and shared, by their identity.
    package static func == (left: TLSClientConfiguration, right: TLSClientConfiguration) -> Bool {
        left.context === right.context && left.handshakeTime == right.handshakeTime
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(context)) }
}
