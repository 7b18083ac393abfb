package import GateAccess
package import GateCore
package import GateHTTP
import GateNet
package import Logging
import NIOCore
import NIOHTTP1
import Synchronization

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
    private let cookie: SessionCookie?
    /// Those made to answers that are ours.
    private let changes: ResponseChanges
    private let security: SiteSecurityHeaders?
    private let hasToldOfCookie = Atomic(false)

    /// - Parameters:
    ///   - cookie: the one that the application may not set; `nil` for other instances, which may.
    ///   - security: of use where ``SiteRoute/addsSecurityHeaders`` is set.
    ///   - pseudonym: under which this gateway stands in `Via`.
    ///   - baseURL: the public URL without a slash at its end, for problem documents.
    package init(
        _ route: SiteRoute, to upstream: Upstream, cookie: SessionCookie?, security: SiteSecurityHeaders? = nil,
        pseudonym: ViaPseudonym = .common, baseURL: String, entropy: any Entropy = SystemEntropy(), log: Logger
    ) {
        self.upstream = upstream
        self.baseURL = baseURL
        self.entropy = entropy
        self.log = log
        bodyLimit = route.bodyLimit
        requestFields = RequestFieldRules(route.requestFields, rules: upstream.rules, pseudonym: pseudonym)
        self.security = route.addsSecurityHeaders ? security : nil
        responseFields = ResponseFieldRules(route.responseFields, cookie: cookie, security: self.security)
        changes = ResponseChanges(route.responseFields.withoutContent)
        self.cookie = cookie
    }

    package var finishesAnswers: Bool { true }

    package func answer(_ admitted: AdmittedRequest) -> Answer {
        let request = admitted.arrived
        // It would send back what only the application is to see: the identity, with its assertion.
        if case .TRACE = request.method { return .now(refusal(Problem(.methodNotAllowed), request, admitted.responseFields)) }
        if let bodyLimit {
            let length: Int =
                switch request.body {
                case .empty: 0
                case .bytes(let bytes): bytes.readableBytes
                case .stream(let length, _): length ?? 0
                }
            if length > bodyLimit { return .now(refusal(UpstreamFailure.tooLarge(bodyLimit), request, admitted.responseFields)) }
        }
        do throws(RequestFieldRules.Fault) {
            let exchange = try UpstreamExchange(admitted, for: self, bodyLimit: bodyLimit, entropy)
            if let pending = begin(exchange) { return .pending(pending) }
            return .later { [self] in await forward(exchange) }
        } catch {
            return .now(refusal(problem(error), request, admitted.responseFields))
        }
    }

    /// Sends a request without a task where all of it is here, as most need a single attempt; further ones go on in one. `nil` where there is
    /// no server to choose, or the caller is on none of the client's event loops.
    private func begin(_ exchange: UpstreamExchange) -> PendingResponse? {
        let request = exchange.request
        guard exchange.body == nil, exchange.handshake == nil, let loop = upstream.endpoints.first?.loop,
            let choice = choose([], nil, request.method, at: request.receivedAt)
        else { return nil }
        let index = choice.index
        upstream.group.servers[index].began()
        let pending = PendingResponse(on: loop.eventLoop)
        let cancel = upstream.endpoints[index].begin(exchange.outgoing(to: index, of: upstream), on: loop) { [self] outcome in
            switch outcome {
            case .success(let response):
                upstream.succeeded(index)
                pending.resolve(pass(response, of: exchange, from: index))
            case .failure(let error):
                note(error, of: choice, exchange)
                pending.resolve { [self] in await forward(exchange, after: (error, index)) }
            }
        }
        pending.whenCancelled(cancel)
        return pending
    }

    private func problem(_ fault: RequestFieldRules.Fault) -> Problem {
        switch fault {
        case .malformed: Problem(.malformed, "A header field holds what none can.")
        case .loop: Problem(.upstreamUnreachable, "The request goes round in a circle: the application's address is this server's own.")
        }
    }

    /// Sends the request to one server after another, until one answers or no more may be tried.
    private func forward(_ exchange: UpstreamExchange, after first: (error: OutgoingError, index: Int)? = nil) async -> Response {
        let request = exchange.request
        var tried = first.map { [$0.index] } ?? []
        var last = first?.error
        var now = first == nil ? request.receivedAt : upstream.time.monotonic()
        while let choice = choose(tried, last, request.method, at: now) {
            let index = choice.index
            upstream.group.servers[index].began()
            do throws(OutgoingError) {
                let response = try await upstream.endpoints[index].stream(exchange.outgoing(to: index, of: upstream))
                upstream.succeeded(index)
                return pass(response, of: exchange, from: index)
            } catch {
                now = note(error, of: choice, exchange)
                last = error
                tried.append(index)
                if exchange.body?.failure != nil { break }
            }
        }
        if let last { return refusal(UpstreamFailure.problem(last, body: exchange.body?.failure), request, exchange.responseFields) }
        tell("No server of an application is healthy", "all of them fail their health checks", request)
        let wait = upstream.rules.health?.interval.secondsRoundedUp ?? 1
        return refusal(
            Problem(.unavailable, "The application is not healthy.", headers: ["retry-after": "\(wait)"]), request, exchange.responseFields)
    }

    /// Notes that an attempt has failed, and when.
    @discardableResult
    private func note(_ error: OutgoingError, of choice: UpstreamGroup.Choice, _ exchange: UpstreamExchange) -> MonotonicInstant {
        let server = upstream.group.servers[choice.index]
        let now = upstream.time.monotonic()
        server.ended()
        // What the client's body failed with says nothing about the server, and leaves nothing to send again.
        if UpstreamFailure.isTheServers(error.reason), exchange.body?.failure == nil {
            upstream.failed(choice.index, error.description)
            tell("An application did not answer", error.description, exchange.request)
        } else if choice.isTrial {
            server.withdrawTrial(at: now)
        }
        return now
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

    func refusal(_ problem: Problem, _ request: Request, _ fields: EncodedFields) -> Response {
        var response = problem.answer(to: request, baseURL: baseURL)
        changes.apply(to: &response)
        security?.decorate(&response, over: request.scheme)
        response.encodedFields.append(fields)
        return response
    }

    /// Once: it would be said for every answer.
    func tellOfCookie() {
        guard let cookie, !hasToldOfCookie.exchange(true, ordering: .relaxed) else { return }
        log.warning(
            "An application sets a cookie under the name of Gatehouse's own, which is not passed on",
            metadata: ["site": "\(upstream.name)", "cookie": "\(cookie.name)"])
    }

    func tell(_ message: Logger.Message, _ error: String, _ request: Request) {
        guard let withheld = upstream.logAllowance.take(at: upstream.time.monotonic()) else { return }
        var metadata: Logger.Metadata = ["site": "\(upstream.name)", "request_id": "\(request.id)", "error": "\(error)"]
        if withheld > 0 { metadata["withheld"] = "\(withheld)" }
        log.warning(message, metadata: metadata)
    }
}
