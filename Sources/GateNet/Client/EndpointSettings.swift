package import GateHTTP

/// How one server is reached.
package struct EndpointSettings: Hashable, Sendable {
    /// Where it is, by its scheme, host and port. What it says after those is not used.
    package var url: HTTPURL
    /// The path of its Unix socket, where it has one.
    package var socket: String?
    /// Whom to trust, where that is not whom the client trusts.
    package var tls: TLSClientConfiguration?
    /// The name that its certificate must be for, also sent to it (SNI); `nil` for the URL's host.
    package var serverName: String?
    /// For a connection, from the request's beginning to the end of the handshake: the wait for a free one, the name, the addresses.
    package var connectTime: Duration = .seconds(10)
    /// Connections for each event loop, those in tunnels among them.
    package var connections = 512
    /// How long a connection that nobody uses is kept; shorter where the server says so.
    package var keepAliveTime: Duration = .seconds(30)

    package init(_ url: HTTPURL) { self.url = url }
}
