import GateHTTP
import GateIdentity
import NIOHTTP1

/// What a request to an application carries for us, taken from it: the application sees none of it.
struct Credentials {
    /// What a request's access token says, if it carries one of ours. A token that is none of ours is the application's own business.
    enum Bearer {
        case none
        case principal(Principal)
        /// It is one of ours, and not accepted.
        case refused(IdentityError)
    }

    private(set) var bearer = Bearer.none
    /// The value of the session cookie; `nil` also where there are two different ones, as in `HTTPHeaders.cookie(_:)`.
    let cookie: String?
    /// `Authorization` occurs twice (RFC 9110 §5.3 allows it once): there is no telling which of them the application will believe.
    private(set) var isAmbiguous = false
    /// The request without identity fields in every spelling, the session cookie, and an access token of ours.
    let rest: Request

    init(takenFrom request: Request, cookie: SessionCookie, identity: Identity) {
        var authorization: String?
        var cookies = CookieSieve(name: cookie.nameBytes)
        var hasReserved = false
        for (name, value) in request.headers {
            switch CredentialField(name) {
            case .cookie: cookies.add(value)
            case .authorization:
                isAmbiguous = authorization != nil
                authorization = value
            case .reserved: hasReserved = true
            case .other: break
            }
        }
        self.cookie = cookies.isAmbiguous ? nil : cookies.found
        if !isAmbiguous, let authorization { bearer = Self.bearer(authorization, identity) }
        var isBearerOurs = true
        if case .none = bearer { isBearerOurs = false }
        guard hasReserved || cookies.hasChanged || isBearerOurs else {
            rest = request
            return
        }
        var kept: [(String, String)] = []
        kept.reserveCapacity(request.headers.count)
        for field in request.headers {
            switch CredentialField(field.name) {
            case .cookie where cookies.hasChanged, .authorization where isBearerOurs, .reserved: continue
            default: kept.append(field)
            }
        }
        if cookies.hasChanged, let left = cookies.rest { kept.append(("cookie", left)) }
        rest = Request(request, headers: HTTPHeaders(kept))
    }

    /// - Parameter authorization: the value of the field.
    private static func bearer(_ authorization: String, _ identity: Identity) -> Bearer {
        guard let token = Caller.bearerToken(in: authorization.utf8.span) else { return .none }
        do throws(IdentityError) {
            return .principal(try identity.authenticate(bearer: authorization.utf8.span.extracting(token)))
        } catch {
            return error == .notAuthenticated ? .none : .refused(error)
        }
    }

    /// `Authorization` counts before the cookie, as in ``Caller/init(of:cookie:identity:)``.
    func caller(_ identity: Identity) -> Caller {
        switch bearer {
        case .principal(let principal): return Caller(bearer: principal, identity)
        case .refused(let error): return .refused(error)
        case .none: break
        }
        guard let cookie else { return .anonymous }
        return Caller(cookie: cookie, identity)
    }
}
