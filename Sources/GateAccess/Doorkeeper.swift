package import GateCore
package import GateHTTP
package import GateIdentity
import GateLimits
package import Logging
import NIOHTTP1

/// Decides who may pass to what lies behind Gatehouse, and tells it who that is.
///
/// In the order of the API's own: who is it → limits → may they → CSRF. What needs no database is decided in place.
package final class Doorkeeper: Sendable {
    let identity: Identity
    let limits: RequestLimits
    package let assertions: AssertionIssuer
    let cookie: SessionCookie
    let cors: CORSPolicy
    let crossSite: CrossSiteRule
    /// Without a slash at its end.
    let publicURL: String
    let time: any TimeSource
    let log: Logger
    let remembered: AssertedIdentityCache

    /// - Parameters:
    ///   - publicURL: without a slash at its end.
    ///   - rememberedIdentities: how many pairs of session and door have their identity fields kept; some 1.5 KB each.
    package init(
        identity: Identity, limits: RequestLimits, assertions: AssertionIssuer, cookie: SessionCookie, cors: CORSPolicy, publicURL: String,
        rememberedIdentities: Int = 16_384, time: any TimeSource, log: Logger
    ) {
        self.identity = identity
        self.limits = limits
        self.assertions = assertions
        self.cookie = cookie
        self.cors = cors
        crossSite = CrossSiteRule(ownOrigin: publicURL, isOwnEverywhere: false, allowed: cors)
        self.publicURL = publicURL
        self.time = time
        self.log = log
        remembered = AssertedIdentityCache(capacity: rememberedIdentities)
    }

    /// Called on the event loop of the request's connection.
    package func admit(_ request: Request, at door: Door) -> Admission {
        let credentials = Credentials(of: request, cookie: cookie, identity: identity)
        guard case .unknown = credentials.bearer else { return admit(request, credentials, at: door) }
        return .later { [self] in
            do {
                return admit(request, try await credentials.proven(by: identity), at: door)
            } catch {
                return refuse(error, Arrival(request: request, withheld: credentials.withheld))
            }
        }
    }

    private func admit(_ request: Request, _ credentials: Credentials, at door: Door) -> Admission {
        let arrival = Arrival(request: request, withheld: credentials.withheld)
        guard !credentials.isAmbiguous else {
            return refuse(Problem(.malformed, "The field Authorization may occur once."), arrival)
        }
        if case .everyone = door.access { return count(arrival, at: door, as: .anonymous) }
        if door.access != .optional, let answer = preflightAnswer(request) { return .refused(answer) }
        let caller = credentials.caller(identity)
        guard case .unproven(let unproven) = caller else { return count(arrival, at: door, as: caller) }
        return .later { [self] in
            do {
                return count(arrival, at: door, as: .principal(try await unproven.principal(identity)))
            } catch IdentityError.notAuthenticated {
                return count(arrival, at: door, as: .anonymous)
            } catch let error as IdentityError {
                return count(arrival, at: door, as: .refused(error))
            } catch {
                return refuse(error, arrival)
            }
        }
    }

    private func count(_ arrival: Arrival, at door: Door, as caller: Caller) -> Admission {
        guard !door.policies.isEmpty else { return decide(arrival, at: door, as: caller, EncodedFields()) }
        let questions = limits.questions(door.policies, network: arrival.request.client, principal: caller.principal)
        if let result = limits.askInPlace(questions, now: time.now()) {
            switch result {
            case .success(let fields): return decide(arrival, at: door, as: caller, fields)
            case .failure(let error): return refuse(error, arrival)
            }
        }
        return .later { [self] in
            do {
                return decide(arrival, at: door, as: caller, try await limits.ask(questions, now: time.now()))
            } catch {
                return refuse(error, arrival)
            }
        }
    }

    /// A listed origin is told what its pages may ask for. A preflight carries no cookie, so it would not get past the door.
    private func preflightAnswer(_ request: Request) -> Response? {
        guard CORSPolicy.isPreflight(request), let origin = request.headers.first(name: "origin"), cors.allows(origin),
            var response = cors.preflight(request)
        else { return nil }
        if let asked = request.headers.first(name: "access-control-request-headers") {
            response.headers.replaceOrAdd(name: "access-control-allow-headers", value: asked)
        }
        return response
    }
}
