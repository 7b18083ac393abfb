import GateCrypto
import GateHTTP
import GateNet
import NIOCore

/// TLS for the outgoing client.
struct OutgoingTLS: ClientHandshake {
    let configuration: TLSClientConfiguration

    func secure(_ channel: any Channel, serverName: String) -> EventLoopFuture<Void> {
        do {
            let handler = try configuration.handler(for: serverName, protocols: [.http1], on: channel.eventLoop)
            try channel.pipeline.syncOperations.addHandler(handler)
            return handler.handshaken.map { _ in }.flatMapErrorThrowing { throw OutgoingError($0, host: serverName) }
        } catch {
            return channel.eventLoop.makeFailedFuture(OutgoingError(error, host: serverName))
        }
    }
}

extension OutgoingError {
    fileprivate init(_ error: any Error, host: String) {
        guard let error = error as? TLSError else {
            self.init(.tls, "\(host): \(error)")
            return
        }
        let reason: Reason =
            switch error {
            case .untrusted: .untrustedCertificate
            case .truncated, .closed: .disconnected
            case .timedOut: .timedOut
            default: .tls
            }
        self.init(reason, "\(host): \(error)")
    }
}
