package import GateHTTP
import NIOCore

/// One server that an ``HTTPClient`` sends streamed requests to: what a proxy has for each of its upstreams. Endpoints of the same place,
/// name and trust share their connections, also with one made later.
package final class Endpoint: Sendable {
    package let url: HTTPURL
    private let loops: ClientLoops
    let destination: Destination

    init(_ url: HTTPURL, _ destination: Destination, _ loops: ClientLoops) {
        self.url = url
        self.destination = destination
        self.loops = loops
    }

    /// Sends a request whose body may be a stream, and returns with the head of the response: the body follows as it is read.
    ///
    /// Fast where the task runs on one of the client's event loops. Cancelling the task gives the request up.
    /// - Throws: ``OutgoingError``; its ``OutgoingError/progress`` tells how far the request had come.
    package func stream(_ request: StreamedRequest) async throws(OutgoingError) -> StreamedResponse {
        let loop = loops.loop(for: destination)
        return try await withTaskExecutorPreference(loop.executor) { () async throws(OutgoingError) -> StreamedResponse in
            try await loop.context.value.stream(request, to: self)
        }
    }

    /// Requests that are on their way, on all event loops: tunnels, and bodies that are not read to their end, among them.
    package var requestsInFlight: Int { 0 }
}

/// How one server is reached.
package struct EndpointSettings: Sendable {
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
