package import GateCrypto
package import GateHTTP
package import NIOCore

/// Is told how the handshakes of a server end. Called on the connections' event loops: it must return at once.
package protocol TLSObserver: Sendable {
    func handshakeEnded(_ result: Result<TLSHandshake, TLSError>)
}

/// TLS between a listener's sockets and HTTP, whose version ALPN chooses (RFC 7301, RFC 9113 §3.2).
package struct TLSServerDecorator: ConnectionDecorator {
    package var scheme: Request.Scheme { .https }

    private let certificates: TLSCertificates
    private let observer: (any TLSObserver)?

    package init(certificates: TLSCertificates, observer: (any TLSObserver)? = nil) {
        self.certificates = certificates
        self.observer = observer
    }

    package func decorate(
        _ channel: any Channel, onLoop number: Int, serve: @escaping @Sendable (ApplicationProtocol) throws -> Void
    ) throws {
        let handler = TLSHandler(try certificates.engine(onLoop: number), isServer: true, handshakeTime: nil)
        handler.whenHandshaken { [observer] result in
            observer?.handshakeEnded(result)
            if case .success(let handshake) = result { Self.lead(channel, handshake, serve) }
        }
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    private static func lead(_ channel: any Channel, _ handshake: TLSHandshake, _ serve: (ApplicationProtocol) throws -> Void) {
        // A challenge is over with its handshake (RFC 8737 §3).
        guard handshake.applicationProtocol != TLSHandshake.challengeProtocol else {
            channel.close(promise: nil)
            return
        }
        do {
            try serve(handshake.applicationProtocol.flatMap(ApplicationProtocol.init) ?? .http1)
        } catch {
            channel.close(promise: nil)
        }
    }
}
