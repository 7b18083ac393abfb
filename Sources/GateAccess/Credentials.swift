import GateHTTP
import GateIdentity

/// What a request to an application carries for us: the application sees none of it.
struct Credentials {
    /// What a request's access token says, if it carries one of ours. A token that is none of ours is the application's own business.
    enum Bearer {
        case none
        case principal(Principal)
        /// It is one of ours, and not accepted.
        case refused(IdentityError)
        /// It says that it is one of ours, at a time when this instance may not have heard of the key: withheld until that is known.
        case unknown(String)

        var isOurs: Bool { if case .none = self { false } else { true } }
    }

    private(set) var bearer: Bearer
    /// The value of the session cookie; `nil` also where there are two different ones, as in `HTTPHeaders.cookie(_:)`.
    let cookie: String?
    /// `Authorization` occurs twice (RFC 9110 §5.3 allows it once): there is no telling which of them the application will believe.
    let isAmbiguous: Bool
    private(set) var withheld: WithheldFields

    init(of request: Request, cookie: SessionCookie, identity: Identity) {
        var authorization: String?
        var isAmbiguous = false
        var withheld = WithheldFields()
        var cookies = CookieSieve(name: cookie.nameBytes)
        for (name, value) in request.headers {
            switch CredentialField(name) {
            case .cookie: cookies.add(value)
            case .authorization:
                isAmbiguous = authorization != nil
                authorization = value
            case .reserved: withheld.reserved = true
            case .other: break
            }
        }
        var bearer = Bearer.none
        if !isAmbiguous, let authorization { bearer = Self.bearer(authorization, identity) }
        withheld.accessToken = bearer.isOurs
        if cookies.hasChanged {
            withheld.cookies = true
            withheld.restOfCookies = cookies.rest
        }
        self.bearer = bearer
        self.cookie = cookies.isAmbiguous ? nil : cookies.found
        self.isAmbiguous = isAmbiguous
        self.withheld = withheld
    }

    /// - Parameter authorization: the value of the field.
    private static func bearer(_ authorization: String, _ identity: Identity) -> Bearer {
        guard let token = Caller.bearerToken(in: authorization.utf8.span) else { return .none }
        do throws(IdentityError) {
            return .principal(try identity.authenticate(bearer: authorization.utf8.span.extracting(token)))
        } catch {
            guard error == .notAuthenticated else { return .refused(error) }
            guard !identity.isMemoryCurrent else { return .none }
            let text = authorization.text(at: token)
            return identity.accessTokens.isSaidToBeOurs(text) ? .unknown(text) : .none
        }
    }

    /// The same, once the keys of all instances are known: what none of them has signed is the application's own.
    ///
    /// - Throws: `StorageError` where the database could not be asked.
    func proven(by identity: Identity) async throws -> Credentials {
        guard case .unknown(let token) = bearer else { return self }
        var proven = self
        do {
            proven.bearer = .principal(try await identity.authenticateAgain(bearer: token))
        } catch let error as IdentityError {
            proven.bearer = error == .notAuthenticated ? .none : .refused(error)
        }
        proven.withheld.accessToken = proven.bearer.isOurs
        return proven
    }

    /// `Authorization` counts before the cookie, as in ``Caller/init(of:cookie:identity:)``.
    func caller(_ identity: Identity) -> Caller {
        switch bearer {
        case .principal(let principal): return Caller(bearer: principal, identity)
        case .refused(let error): return .refused(error)
        case .unknown(let token): return .unproven(.unknownBearer(token))
        case .none: break
        }
        guard let cookie else { return .anonymous }
        return Caller(cookie: cookie, identity)
    }
}
