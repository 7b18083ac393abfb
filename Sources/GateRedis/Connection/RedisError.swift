package import GateCore

/// Why a command brought no reply that can be used. The words are for the log: they hold no secret.
package enum RedisError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Nothing was sent.
    case notConnected(String)
    /// So many commands wait already that nothing was sent.
    case overloaded
    /// The reply did not come in time. The server may do what it was asked to, sooner or later.
    case timedOut
    /// The connection ended before the reply came.
    case disconnected(String)
    /// The server said no.
    case refused(RESPError)
    /// The reply is not what the command brings.
    case unexpectedReply
    case malformed(RESPFault)

    package var description: String {
        switch self {
        case .notConnected(let reason): reason
        case .overloaded: "too many commands wait for a reply"
        case .timedOut: "no reply in time"
        case .disconnected(let reason): "the connection was lost: \(reason)"
        case .refused(let error): error.message.isEmpty ? error.code : "\(error.code) \(error.message)"
        case .unexpectedReply: "the reply is not one to this command"
        case .malformed(let fault): fault.description
        }
    }

    /// For those who do not care which store it is.
    package var storageError: StorageError {
        if case .overloaded = self { .busy(reason: "Redis: \(self)") } else { .unavailable(reason: "Redis: \(self)") }
    }
}
