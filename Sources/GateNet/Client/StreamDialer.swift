package import GateCore
import GateHTTP
package import NIOCore

/// Connects to servers that speak something else than HTTP, as the client does: names resolved off the event loops, addresses raced
/// (RFC 8305), certificates verified.
package final class StreamDialer: Sendable {
    package enum Place: Hashable, Sendable, CustomStringConvertible {
        /// A name or an address, an IPv6 one without brackets.
        case tcp(host: String, port: Int)
        case unix(path: String)

        package var description: String { Destination.description(of: destination) }

        fileprivate var destination: Destination.Place {
            switch self {
            case .tcp(let host, let port): .tcp(host: host, port: port)
            case .unix(let path): .unix(path: path)
            }
        }
    }

    private let settings: ClientSettings
    private let connectTime: Duration

    /// - Parameters:
    ///   - tls: how to speak TLS with those that are dialled so.
    ///   - connectTime: for the name, again for its addresses together, and again for the handshake.
    package init(tls: TLSClientConfiguration?, connectTime: Duration, time: any TimeSource) {
        var limits = ClientLimits()
        limits.connectTime = connectTime
        limits.handshakeTime = connectTime
        limits.resolverThreads = 1
        self.connectTime = connectTime
        settings = ClientSettings(
            limits: limits, resolver: SystemNameResolver(threads: limits.resolverThreads, waiting: limits.resolverWaiting), tls: tls,
            time: time)
    }

    /// - Parameter serverName: the name or address that the certificate must be for; `nil` for plain text.
    /// - Returns: a channel of `eventLoop` that does not read by itself, and keeps its output open when the input ends.
    /// - Throws: `OutgoingError` in the future.
    package func dial(_ place: Place, serverName: String?, on eventLoop: any EventLoop) -> EventLoopFuture<any Channel> {
        let promise = eventLoop.makePromise(of: (any Channel).self)
        let destination = Destination(
            place.destination, isSecure: serverName != nil,
            rules: Destination.Rules(
                endpoint: 0, serverName: serverName, tls: nil, connections: 1, connectTime: connectTime, keepAliveTime: .zero))
        eventLoop.execute { [settings] in
            // Kept alive by its own attempts until it is done.
            Dial(destination, settings, protocols: [], on: eventLoop) { promise.completeWith($0.mapError { $0 as any Error }) }.start()
        }
        return promise.futureResult
    }

    package func shutDown() async { await settings.resolver.shutDown() }
}
