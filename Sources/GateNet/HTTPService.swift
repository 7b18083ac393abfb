import GateCore
import GateHTTP
import NIOHTTP1

/// What all connections of a server share. Never changed while it serves.
final class HTTPService: Sendable {
    let configuration: HTTPServerConfiguration
    let responder: any Responder
    let observer: any ExchangeObserver
    let time: any TimeSource
    private let isSystemTime: Bool
    let population: ConnectionPopulation

    init(configuration: HTTPServerConfiguration, responder: any Responder, observer: any ExchangeObserver, time: any TimeSource) {
        self.configuration = configuration
        self.responder = responder
        self.observer = observer
        self.time = time
        isSystemTime = time is SystemTime
        population = ConnectionPopulation(limits: configuration.limits)
    }

    /// Read several times for each request: the system's clock is asked without the way through a protocol.
    func monotonic() -> MonotonicInstant { isSystemTime ? SystemTime().monotonic() : time.monotonic() }

    /// Who asks, and for what, as far as it is the trusted proxies that say so, or else the connection and the head.
    @inline(__always)
    func origin(
        of head: RequestHead, peer: IPAddress?, scheme: Request.Scheme
    ) -> (client: IPAddress?, scheme: Request.Scheme, authority: String) {
        guard let peer, head.mayBeForwarded, !configuration.trustedProxies.isEmpty else { return (peer, scheme, head.authority) }
        let origin = ForwardedHeaders.origin(of: head.headers, peer: peer, trusted: configuration.trustedProxies)
        return (origin.client, origin.scheme ?? scheme, origin.host ?? head.authority)
    }

    /// The id of a request that another instance has passed on, so that both have it in their logs under the same: what a trusted proxy sends
    /// whose hop, the last in `Via`, has the name of an installation. `nil` for every other.
    @inline(__always)
    func passedID(of head: RequestHead, peer: IPAddress?) -> RequestID? {
        guard let peer, head.mayBeForwarded, !configuration.trustedProxies.isEmpty else { return nil }
        guard let last = head.headers["via"].last?.split(separator: " ").last, last.hasPrefix("gatehouse-"),
            configuration.trustedProxies.contains(where: { $0.contains(peer) })
        else { return nil }
        return head.headers.first(name: "x-request-id").flatMap(RequestID.init)
    }

    func problem(_ problem: Problem, _ exchange: CurrentExchange) -> Response {
        problem.response(id: exchange.request.id, instance: exchange.request.target.path, baseURL: configuration.baseURL)
    }
}
