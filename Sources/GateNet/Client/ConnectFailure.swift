import GateCore
import GateHTTP
import NIOCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Why one address could not be connected to.
struct ConnectFailure {
    /// `nil` for a Unix socket.
    let address: IPAddress?
    let reason: OutgoingError.Reason
    /// For the operator.
    let cause: String

    init(_ address: IPAddress?, _ error: any Error) {
        self.address = address
        guard let code = (error as? IOError)?.errnoCode else {
            if case .connectTimeout? = error as? ChannelError {
                (reason, cause) = (.timedOut, "no answer in time")
            } else {
                (reason, cause) = (.connectionFailed, "\(error)")
            }
            return
        }
        switch code {
        case ECONNREFUSED: (reason, cause) = (.refused, address == nil ? "nobody listens on it any more" : "connection refused")
        case ENOENT, ENOTDIR: (reason, cause) = (.refused, "it does not exist")
        case EACCES, EPERM: (reason, cause) = (address == nil ? .notPermitted : .connectionFailed, "permission denied")
        case ETIMEDOUT: (reason, cause) = (.timedOut, "no answer in time")
        default: (reason, cause) = (.connectionFailed, String(cString: strerror(code)))
        }
    }
}
