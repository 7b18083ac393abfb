import GateAccess
import GateCore
package import GateHTTP
import GateIdentity
import GateLimits
import Logging
import NIOHTTP1

/// The REST API: from a request to its response, in the order that ARCHITECTURE.md gives.
///
/// Route, identity, limits and the CSRF rule are decided in place, on the connection's event loop; only a cookie that is not
/// remembered needs the database. What is decided never depends on a store that failed: that is a 503.
package final class API: OwnRoutes {
    private let services: APIServices
    private let router: Router<Endpoint>

    package init(services: APIServices) {
        self.services = services
        var routes = RouterBuilder<Endpoint>()
        AuthRoutes.add(to: &routes)
        SessionRoutes.add(to: &routes)
        VerifyRoutes.add(to: &routes)
        PageRoutes.add(to: &routes)
        OrganisationRoutes.add(to: &routes)
        HealthRoutes.add(to: &routes)
        MetaRoutes.add(to: &routes)
        router = routes.freeze()
    }

    package func respond(to request: Request) -> Answer {
        answerIfOwn(request) ?? preflightAnswer(request)
            ?? refuse(request, Problem(.notFound, "There is nothing at this path."))
    }

    package func answerIfOwn(_ request: Request) -> Answer? {
        guard router.mayHold(request.target) else { return nil }
        switch router.match(request.method, request.target.path) {
        case .found(let endpoint, let parameters):
            return respond(to: request, by: endpoint, parameters)
        case .methodNotAllowed(let allowed):
            if let answer = preflightAnswer(request) { return answer }
            let allow = allowed.map(\.rawValue).joined(separator: ", ")
            if request.method == .OPTIONS { return finish(Response(.noContent, headers: ["allow": allow]), request) }
            return refuse(request, Problem(.methodNotAllowed, "Allowed here: \(allow).", headers: ["allow": allow]))
        case .notFound:
            return nil
        }
    }

    private func preflightAnswer(_ request: Request) -> Answer? {
        guard var response = services.cors.preflight(request) else { return nil }
        services.securityHeaders.decorate(&response, over: request.scheme)
        return .now(response)
    }

    private func respond(to request: Request, by endpoint: Endpoint, _ parameters: RouteParameters) -> Answer {
        guard endpoint.access == .signedIn else {
            guard endpoint.limit != .none else { return handle(request, by: endpoint, parameters, as: .anonymous) }
            return admit(request, by: endpoint, parameters, as: .anonymous)
        }
        let caller = Caller(of: request, cookie: services.cookie, identity: services.identity)
        guard case .unproven(let unproven) = caller else { return admit(request, by: endpoint, parameters, as: caller) }
        return .later { [self] in
            do {
                let principal = try await unproven.principal(services.identity)
                return await admit(request, by: endpoint, parameters, as: .principal(principal)).response
            } catch let error as IdentityError {
                return await admit(request, by: endpoint, parameters, as: .refused(error)).response
            } catch {
                return fail(error, request)
            }
        }
    }

    /// Counts the request, applies the CSRF rule, and hands it to the endpoint.
    private func admit(_ request: Request, by endpoint: Endpoint, _ parameters: RouteParameters, as caller: Caller) -> Answer {
        guard endpoint.limit == .api else { return handle(request, by: endpoint, parameters, as: caller) }
        let questions = services.limits.apiQuestions(network: request.client, user: caller.principal?.userID)
        return services.limits.ask(questions, now: services.time.now) { [self] result in
            switch result {
            case .success(let fields):
                handle(request, by: endpoint, parameters, as: caller).changed { $0.encodedFields.append(fields) }
            case .failure(let error): .now(fail(error, request))
            }
        }
    }

    private func handle(_ request: Request, by endpoint: Endpoint, _ parameters: RouteParameters, as caller: Caller) -> Answer {
        let call = Call(request: request, parameters: parameters, services: services, principal: caller.principal)
        do {
            if endpoint.access == .signedIn {
                let principal = try caller.get()
                if principal.method == .cookie { try call.refuseCrossSite() }
            }
            switch try endpoint.handle(call) {
            case .now(let response): return finish(response, request)
            case .later(let respond):
                return .later { [self] in
                    do { return finished(try await respond(), request) } catch { return fail(error, request) }
                }
            }
        } catch {
            return .now(fail(error, request))
        }
    }

    /// An error outside every route: counted like the API where it looks like a call of it.
    private func refuse(_ request: Request, _ problem: Problem) -> Answer {
        guard request.target.begins(with: "/api/v1/") else { return .now(fail(problem, request)) }
        let questions = services.limits.apiQuestions(network: request.client, user: nil)
        return services.limits.ask(questions, now: services.time.now) { [self] result in
            if case .failure(let error) = result { return .now(fail(error, request)) }
            return .now(fail(problem, request))
        }
    }

    private func fail(_ error: any Error, _ request: Request) -> Response {
        let problem = Problem(describing: error, of: request, log: services.log)
        // What is under `/api` is for programs, whoever asks.
        let isPage = request.target.begins(with: "/.gatehouse/")
        let response =
            isPage
            ? problem.answer(to: request, baseURL: services.publicURL)
            : problem.response(id: request.id, instance: request.target.path, baseURL: services.publicURL)
        return finished(response, request)
    }

    private func finish(_ response: Response, _ request: Request) -> Answer { .now(finished(response, request)) }

    private func finished(_ response: Response, _ request: Request) -> Response {
        var response = response
        services.securityHeaders.decorate(&response, over: request.scheme)
        services.cors.decorate(&response, for: request)
        return response
    }
}
