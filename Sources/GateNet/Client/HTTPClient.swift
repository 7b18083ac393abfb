package import GateCore
package import GateHTTP
package import NIOCore
import NIOPosix

/// The one client for other servers: HTTP/1.1 over TCP, TLS and Unix sockets, with a pool of connections for each event loop.
///
/// A value: copies share their pools. ``reaching(_:)`` and ``over(socket:)`` make clients with other rights and ways over the same pools,
/// so that whoever composes decides what each consumer may reach. No redirects are followed. Variables like `http_proxy` are not
/// honoured: whoever sets a process's environment would otherwise read what it sends, and the egress rule would judge the proxy's address.
package struct HTTPClient: OutgoingHTTP {
    private let loops: ClientLoops
    private let egress: EgressRule
    private let socket: String?

    /// - Parameters:
    ///   - egress: which addresses its requests may reach.
    ///   - tls: whom to trust; without it `https` fails.
    ///   - group: the event loops that connections live on; the caller's, to be shut down after the client.
    package init(
        egress: EgressRule, tls: TLSClientConfiguration? = nil, limits: ClientLimits = ClientLimits(),
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, time: any TimeSource = SystemTime()
    ) {
        self.init(
            egress: egress, group: group,
            settings: ClientSettings(
                limits: limits, resolver: SystemNameResolver(threads: limits.resolverThreads, waiting: limits.resolverWaiting),
                tls: tls, time: time))
    }

    init(egress: EgressRule, group: any EventLoopGroup, settings: ClientSettings) {
        self.init(ClientLoops(group, settings: settings), egress, nil)
    }

    private init(_ loops: ClientLoops, _ egress: EgressRule, _ socket: String?) {
        self.loops = loops
        self.egress = egress
        self.socket = socket
    }

    /// The same client, held to another rule.
    package func reaching(_ egress: EgressRule) -> HTTPClient { HTTPClient(loops, egress, socket) }

    /// The same client, all of whose requests go to the Unix socket at `path`, whatever host their URL names.
    package func over(socket path: String) -> HTTPClient { HTTPClient(loops, egress, path) }

    /// Gives up what is on its way, and closes all connections. Requests fail with `.cancelled` from then on.
    package func shutDown() async { await loops.shutDown() }

    /// Connections being made, in use, and idle.
    func connectionCount() async -> Int { await loops.connectionCount() }

    package func send(_ request: OutgoingRequest) async throws(OutgoingError) -> OutgoingResponse {
        let destination = Destination(request.url, socket: socket, egress: egress)
        let loop = loops.loop(for: destination)
        return try await withTaskExecutorPreference(loop.executor) { () async throws(OutgoingError) -> OutgoingResponse in
            try await loop.send(request, to: destination)
        }
    }

    /// One server to send streamed requests to, under this client's egress rule. While somebody holds an endpoint, asking for one with the
    /// same settings gives that one.
    package func endpoint(_ settings: EndpointSettings) -> Endpoint {
        var settings = settings
        settings.socket = settings.socket ?? socket
        return loops.endpoint(settings, egress: egress)
    }
}
