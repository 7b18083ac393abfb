import GateCrypto
import GateHTTP

/// Each way in which a request can fail, in an operator's words: whom it was for, what failed, and what to do where that is known.
extension OutgoingError {
    static func nameNotFound(_ destination: Destination, _ error: NameResolutionError) -> OutgoingError {
        guard case .tcp(let name, _) = destination.place else { return OutgoingError(.nameNotFound, "\(destination): \(error)") }
        return OutgoingError(.nameNotFound, "cannot look up \(name): \(error)")
    }

    static func forbidden(_ destination: Destination, _ detail: String) -> OutgoingError {
        OutgoingError(.forbiddenAddress, "\(destination) must not be reached from here: \(detail)")
    }

    /// - Parameter failures: one for each address that was tried, at least one.
    static func notConnected(_ destination: Destination, _ failures: [ConnectFailure]) -> OutgoingError {
        // "No route" of a machine without IPv6 says less than what the other family met with.
        let reason = (failures.first { $0.reason != .connectionFailed } ?? failures[0]).reason
        let causes = failures.map { failure in failure.address.map { "\(failure.cause) (\($0))" } ?? failure.cause }
        return OutgoingError(reason, "cannot connect to \(destination): \(causes.joined(separator: "; "))")
    }

    static func handshakeFailed(_ destination: Destination, _ error: any Error) -> OutgoingError {
        let reason: Reason =
            switch error as? TLSError {
            case .untrusted: .untrustedCertificate
            case .timedOut: .timedOut
            case .truncated, .closed: .disconnected
            default: .tls
            }
        return OutgoingError(reason, "cannot connect to \(destination): \(error)")
    }

    /// An established connection broke, or what comes over it cannot be trusted to be whole.
    static func broken(_ destination: Destination, _ error: any Error) -> OutgoingError {
        switch error as? TLSError {
        case nil: disconnected(destination, "broke the connection off (\(error))")
        case .truncated: disconnected(destination, "cut the connection off without a TLS close_notify")
        case let error?: OutgoingError(.tls, "the connection to \(destination) broke: \(error)")
        }
    }

    static func disconnected(_ destination: Destination, _ detail: String) -> OutgoingError {
        OutgoingError(.disconnected, "\(destination) \(detail)")
    }

    static func badResponse(_ destination: Destination, _ fault: ResponseFault, hasBegun: Bool) -> OutgoingError {
        switch fault {
        case .malformed(let detail): OutgoingError(.badResponse, "\(destination) did not answer in HTTP/1.1: \(detail)")
        case .tooLarge(let detail): OutgoingError(.badResponse, "\(destination) sent more than is taken in: \(detail)")
        case .truncated:
            disconnected(
                destination,
                hasBegun ? "closed the connection in the middle of its response" : "closed the connection without a response")
        }
    }

    static func tooLarge(_ destination: Destination, limit: Int) -> OutgoingError {
        OutgoingError(.badResponse, "\(destination) sent more than is taken in: the body has more than \(limit) bytes")
    }

    static func timedOut(_ destination: Destination, _ detail: String) -> OutgoingError {
        OutgoingError(.timedOut, "\(destination): \(detail)")
    }

    static func cancelled(_ destination: Destination) -> OutgoingError {
        OutgoingError(.cancelled, "the request to \(destination) was cancelled")
    }

    static func shutDown(_ destination: Destination) -> OutgoingError {
        OutgoingError(.cancelled, "the request to \(destination) was given up: the client has been shut down")
    }
}
