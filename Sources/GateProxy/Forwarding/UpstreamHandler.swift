package import GateAccess
package import GateCore
package import GateHTTP
import GateNet
package import Logging
import NIOCore
import NIOHTTP1

/// Passes the requests of a site on to its application, and the application's answers back.
///
/// Neither body is held: each is read as the other side takes it. A response may come before its request has ended. Whoever goes away
/// ends the exchange on the other side too.
package final class UpstreamHandler: RouteHandler {
    let upstream: Upstream
    let requestFields: RequestFieldRules
    let responseFields: ResponseFieldRules
    let baseURL: String
    let log: Logger
    private let bodyLimit: Int?
    private let entropy: any Entropy

    /// - Parameter baseURL: the public URL without a slash at its end, for problem documents.
    package init(
        _ route: SiteRoute, to upstream: Upstream, baseURL: String, entropy: any Entropy = SystemEntropy(), log: Logger
    ) {
        self.upstream = upstream
        self.baseURL = baseURL
        self.entropy = entropy
        self.log = log
        bodyLimit = route.bodyLimit
        requestFields = RequestFieldRules(route.requestFields, rules: upstream.rules)
        responseFields = ResponseFieldRules(route.responseFields)
    }

    package func answer(_ admitted: AdmittedRequest) -> Answer {
        let request = admitted.request
        // It would send back what only the application is to see: the identity, with its assertion.
        if request.method == .TRACE { return .now(refusal(Problem(.methodNotAllowed), request)) }
        if let bodyLimit {
            let length: Int =
                switch request.body {
                case .empty: 0
                case .bytes(let bytes): bytes.readableBytes
                case .stream(let length, _): length ?? 0
                }
            if length > bodyLimit { return .now(refusal(UpstreamFailure.tooLarge(bodyLimit), request)) }
        }
        do throws(RequestFieldRules.Fault) {
            let exchange = try UpstreamExchange(admitted, for: self, bodyLimit: bodyLimit, entropy)
            return .later { [self] in await forward(exchange) }
        } catch {
            return .now(refusal(problem(error), request))
        }
    }

    private func problem(_ fault: RequestFieldRules.Fault) -> Problem {
        switch fault {
        case .malformed: Problem(.malformed, "A header field holds what none can.")
        case .loop: Problem(.upstreamUnreachable, "The request goes round in a circle: the application's address is this server's own.")
        }
    }

    /// Sends the request to one server after another, until one answers or no more may be tried.
    private func forward(_ exchange: UpstreamExchange) async -> Response {
        let request = exchange.request
        var tried: [Int] = []
        var last: OutgoingError?
        var now = request.receivedAt
        while let choice = choose(tried, last, request.method, at: now) {
            let index = choice.index
            let server = upstream.group.servers[index]
            server.began()
            do throws(OutgoingError) {
                let response = try await upstream.endpoints[index].stream(exchange.outgoing(to: index, of: upstream))
                upstream.succeeded(index)
                return pass(response, of: exchange, from: index)
            } catch {
                server.ended()
                now = upstream.time.monotonic()
                last = error
                tried.append(index)
                // What the client's body failed with says nothing about the server, and leaves nothing to send again.
                let isBodysFault = exchange.body?.failure != nil
                if UpstreamFailure.isTheServers(error.reason), !isBodysFault {
                    upstream.failed(index, error.description)
                    tell("An application did not answer", error.description, request)
                } else if choice.isTrial {
                    server.withdrawTrial(at: now)
                }
                if isBodysFault { break }
            }
        }
        if let last { return refusal(UpstreamFailure.problem(last, body: exchange.body?.failure), request) }
        tell("No server of an application is healthy", "all of them fail their health checks", request)
        let wait = upstream.rules.health?.interval.secondsRoundedUp ?? 1
        return refusal(Problem(.unavailable, "The application is not healthy.", headers: ["retry-after": "\(wait)"]), request)
    }

    /// Where the request goes the first time, or again after `last`; `nil` where it doesn't.
    private func choose(
        _ tried: [Int], _ last: OutgoingError?, _ method: HTTPMethod, at now: MonotonicInstant
    ) -> UpstreamGroup.Choice? {
        guard let last else { return upstream.group.choose(at: now) }
        let isOnly = upstream.group.servers.count == 1
        guard tried.count <= upstream.rules.retries, UpstreamFailure.mayTryAgain(last, method, isSameServer: isOnly) else { return nil }
        return upstream.group.choose(excluding: isOnly ? [] : tried, at: now)
    }

    func refusal(_ problem: Problem, _ request: Request) -> Response {
        problem.answer(to: request, baseURL: baseURL)
    }

    func tell(_ message: Logger.Message, _ error: String, _ request: Request) {
        log.warning(message, metadata: ["site": "\(upstream.name)", "request_id": "\(request.id)", "error": "\(error)"])
    }
}
