import GateAccess
import GateHTTP
import GateNet
import Logging
import NIOCore
import NIOHTTP1

/// What is said on sockets that the service manager listens on and no setting names: nothing is served there, and whoever comes is not
/// left waiting.
struct WaitingDoor {
    /// Why, for the operator.
    enum Reason: Hashable {
        /// Nothing is configured yet. The file that is waited for, where there is one.
        case unconfigured(file: String?)
        /// Settings name other addresses.
        case unnamed
    }

    let reason: Reason
    let sockets: [InheritedSockets.Socket]

    /// - Parameter sockets: those that nobody took.
    init?(_ sockets: [InheritedSockets.Socket], _ configuration: Configuration, file: String?) {
        guard !sockets.isEmpty else { return nil }
        self.sockets = sockets
        reason = configuration.isLocalOnly ? .unconfigured(file: file) : .unnamed
    }

    /// On 443 people speak TLS, for which there is no certificate: a connection is closed as soon as it is there.
    var listeners: [Listener] {
        sockets.map { Listener(.descriptor($0.descriptor), decorator: $0.port == 443 ? ClosingDecorator() : nil) }
    }

    func responder(baseURL: String) -> any Responder { WaitingResponder(notice: notice, baseURL: baseURL) }

    func tell(_ log: Logger) {
        let addresses = sockets.map(\.description).joined(separator: " ")
        switch reason {
        case .unconfigured: log.notice("\(notice.detail)", metadata: ["sockets": "\(addresses)"])
        case .unnamed:
            log.warning(
                "The service manager listens where nothing is configured",
                metadata: [
                    "sockets": "\(addresses)", "advice": "name it in listen.http or listen.https, or take it out of gatehouse.socket",
                ])
        }
    }

    /// For the service manager.
    var status: String? {
        if case .unconfigured = reason { "Waiting for public_url" } else { nil }
    }

    /// For clients.
    var notice: (title: String, detail: String) {
        switch reason {
        case .unconfigured(let file):
            ("Gatehouse is installed", "It waits for public_url in \(file ?? "its configuration").")
        case .unnamed: ("Nothing is served here", "No setting names this address and port.")
        }
    }
}

extension Configuration {
    /// Whether nobody outside of this machine is meant to come: the state before anything is set.
    fileprivate var isLocalOnly: Bool {
        tls.mode == .off && publicURL.scheme == .http && ["127.0.0.1", "localhost", "[::1]"].contains(publicURL.host)
    }
}

/// 503 for whatever is asked for.
private struct WaitingResponder: Responder {
    let notice: (title: String, detail: String)
    let baseURL: String

    func respond(to request: Request) -> Answer {
        guard request.isNavigation else {
            let problem = Problem(.unavailable, "\(notice.title). \(notice.detail)")
            return .now(problem.response(id: request.id, instance: request.target.path, baseURL: baseURL))
        }
        let page = OwnPage(title: notice.title, content: "<h1>\(notice.title)</h1>\n<p>\(notice.detail)</p>")
        return .now(page.response(.serviceUnavailable))
    }
}

/// Lets nobody in.
private struct ClosingDecorator: ConnectionDecorator {
    struct Closed: Error {}

    var scheme: Request.Scheme { .https }

    func decorate(
        _ channel: any Channel, onLoop number: Int, serve: @escaping @Sendable (ApplicationProtocol) throws -> Void
    ) throws { throw Closed() }
}
