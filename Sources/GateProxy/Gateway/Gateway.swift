package import GateAccess
package import GateHTTP
import NIOHTTP1

/// Everything behind Gatehouse, and Gatehouse's own routes beside it: from a request to who answers it.
///
/// Made once for a configuration, and exchanged as a whole with it.
package final class Gateway: Responder {
    package let directory: SiteDirectory
    private let own: any OwnRoutes
    private let place: OwnRoutePlace
    private let doorkeeper: Doorkeeper
    private let ownSecurity: SecurityHeaders
    /// Without a slash at its end.
    private let baseURL: String

    /// - Parameters:
    ///   - own: Gatehouse's routes, which go before those of the sites; also what answers where there is no site.
    ///   - ownSecurity: for answers that are ours although the request was for a site.
    package init(
        _ directory: SiteDirectory, own: any OwnRoutes, at place: OwnRoutePlace = OwnRoutePlace(), doorkeeper: Doorkeeper,
        ownSecurity: SecurityHeaders, baseURL: String
    ) {
        self.directory = directory
        self.own = own
        self.place = place
        self.doorkeeper = doorkeeper
        self.ownSecurity = ownSecurity
        self.baseURL = baseURL
    }

    package func respond(to request: Request) -> Answer {
        if let instances = directory.instances, let site = instances.find(request) {
            return site.answer(instances.passedOn(request))
        }
        // The pages where people sign in are ours on every host.
        if request.target.begins(with: "/.gatehouse/") { return own.respond(to: request) }
        if place.isEverywhere {
            if let answer = own.answerIfOwn(request) { return answer }
        } else if let moved = place.own(request), let answer = own.answerIfOwn(moved) {
            return answer
        }
        switch directory.find(request) {
        case .site(let index): return respond(to: request, from: directory.sites[index])
        case .ambiguous: return .now(refusal(.ambiguousPath, request))
        case .none: return own.respond(to: request)
        }
    }

    private func respond(to request: Request, from site: GatewaySite) -> Answer {
        switch doorkeeper.admit(request, at: site.door) {
        case .admitted(let admitted):
            return site.answer(admitted)
        case .refused(let response):
            return .now(finished(response, request.scheme))
        case .later(let find):
            let scheme = request.scheme
            return .later { [self] in
                switch await find().known {
                case .admitted(let admitted): await site.answer(admitted).response
                case .refused(let response): finished(response, scheme)
                case .later: finished(Response(.internalServerError), scheme)
                }
            }
        }
    }

    private func refusal(_ problem: Problem, _ request: Request) -> Response {
        finished(problem.answer(to: request, baseURL: baseURL), request.scheme)
    }

    private func finished(_ response: Response, _ scheme: Request.Scheme) -> Response {
        var response = response
        ownSecurity.decorate(&response, over: scheme)
        return response
    }
}

extension Problem {
    fileprivate static let ambiguousPath = Problem(
        .malformed, "The path can be read in more than one way: as it stands, it could lead past the rules of another part of the site.")
}
