import GateCore
import GateHTTP
import NIOHTTP1

/// What a request that brought no response means: to the server's health, to the request, and to the client.
enum UpstreamFailure {
    /// Whether it speaks against the server, rather than against the request or against us.
    static func isTheServers(_ reason: OutgoingError.Reason) -> Bool {
        switch reason {
        case .nameNotFound, .refused, .notPermitted, .connectionFailed, .untrustedCertificate, .tls, .timedOut, .disconnected, .badResponse:
            true
        case .badRequest, .overloaded, .forbiddenAddress, .cancelled: false
        }
    }

    /// Whether the request may be sent again: nothing of it has left, or the server hung up on one that may be repeated, and its body is
    /// still there. One that was waited for in vain is not: it would wait as long again, and another server has the same work to do.
    static func mayTryAgain(_ error: OutgoingError, _ method: HTTPMethod, isSameServer: Bool) -> Bool {
        guard isTheServers(error.reason) || error.reason == .overloaded, !error.isBodyBegun else { return false }
        // Whoever refuses a connection refuses the next one too.
        if error.progress == .nothingSent { return !isSameServer }
        return isIdempotent(method) && error.progress == .sent && error.reason == .disconnected
    }

    /// RFC 9110 §9.2.2.
    static func isIdempotent(_ method: HTTPMethod) -> Bool {
        switch method {
        case .GET, .HEAD, .OPTIONS, .TRACE, .PUT, .DELETE: true
        default: false
        }
    }

    /// - Parameter body: what the body of the request failed with, where that is the reason.
    static func problem(_ error: OutgoingError, body: BodyError?) -> Problem {
        if let body { return problem(body) }
        return switch error.reason {
        case .timedOut: Problem(.upstreamTimeout)
        case .overloaded: Problem(.unavailable, "The application has too much to do.", headers: ["retry-after": "1"])
        case .badRequest: Problem(.malformed, "The request cannot be passed on.")
        case .cancelled: Problem(.unavailable, headers: ["retry-after": "1"])
        default: Problem(.upstreamUnreachable)
        }
    }

    static func problem(_ error: BodyError) -> Problem {
        switch error {
        case .tooLarge(let limit): tooLarge(limit)
        case .timedOut: Problem(.timedOut, "Nothing of the body came for too long.")
        case .disconnected, .malformed: Problem(.malformed, "The body broke off.")
        }
    }

    static func tooLarge(_ limit: Int) -> Problem { Problem(.tooLarge, "The body has more than \(limit) bytes.") }
}
