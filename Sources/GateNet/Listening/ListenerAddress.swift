/// Where a server listens.
package enum ListenerAddress: Hashable, Sendable, CustomStringConvertible {
    /// A name or address, and a port; 0 for any that is free.
    case tcp(host: String, port: Int)
    /// A socket in the file system, for this user alone (mode 0600).
    case unix(path: String)
    /// A socket that listens already: systemd's, or the parent's. It is the server's to close.
    case descriptor(Int32)

    package var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): path
        case .descriptor(let descriptor): "descriptor \(descriptor)"
        }
    }
}

/// Where a server has come to listen.
package struct BoundAddress: Hashable, Sendable, CustomStringConvertible {
    package let listener: ListenerAddress
    /// The address it has; `nil` for a Unix socket.
    package let host: String?
    /// The port it has, also where 0 was asked for; `nil` for a Unix socket.
    package let port: Int?

    package var description: String {
        guard let host, let port else { return listener.description }
        return ListenerAddress.tcp(host: host, port: port).description
    }
}

/// Why a listener could not be opened, and what can be done.
package struct ListenError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Reason: Hashable, Sendable {
        case addressInUse
        case notPermitted
        /// The address is none of this machine's, or its name is unknown.
        case addressUnavailable
        case badPath
        case other
    }

    package let address: ListenerAddress
    package let reason: Reason
    /// For the operator.
    package let description: String
}
