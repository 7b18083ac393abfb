import GateHTTP
import GateIdentity
import NIOHTTP1

/// What a request to an application carries for us, taken from it: the application sees none of it.
struct Credentials {
    /// Who an access token of ours is from, or why it is not accepted. A token that is none of ours is the application's own business.
    private(set) var bearer: Result<Principal, IdentityError>?
    /// The value of the session cookie; `nil` also where there are two different ones, as in `HTTPHeaders.cookie(_:)`.
    private(set) var cookie: String?
    /// `Authorization` occurs twice (RFC 9110 §5.3 allows it once): there is no telling which of them the application will believe.
    private(set) var isAmbiguous = false

    /// Removes identity fields in every spelling, the session cookie, and an access token of ours.
    init(takenFrom request: inout Request, cookie: SessionCookie, identity: Identity) {
        var authorization: String?
        var cookies = CookieSieve(name: cookie.nameBytes)
        var hasReserved = false
        for (name, value) in request.headers {
            switch Kind(of: name) {
            case .cookie: cookies.add(value)
            case .authorization:
                isAmbiguous = authorization != nil
                authorization = value
            case .reserved: hasReserved = true
            case .other: break
            }
        }
        if !cookies.isAmbiguous { self.cookie = cookies.found }
        if !isAmbiguous, let token = authorization.flatMap(Caller.bearerToken) {
            do throws(IdentityError) {
                bearer = .success(try identity.authenticate(bearer: token))
            } catch {
                if error != .notAuthenticated { bearer = .failure(error) }
            }
        }
        guard hasReserved || cookies.hasChanged || bearer != nil else { return }
        var kept: [(String, String)] = []
        kept.reserveCapacity(request.headers.count)
        for field in request.headers {
            switch Kind(of: field.name) {
            case .cookie where cookies.hasChanged, .authorization where bearer != nil, .reserved: continue
            default: kept.append(field)
            }
        }
        if cookies.hasChanged, let rest = cookies.rest { kept.append(("cookie", rest)) }
        request = request.with(headers: HTTPHeaders(kept))
    }

    /// `Authorization` counts before the cookie, as in ``Caller/init(of:cookie:identity:)``.
    func caller(_ identity: Identity) -> Caller {
        switch bearer {
        case .success(let principal): return Caller(bearer: principal, identity)
        case .failure(let error): return .refused(error)
        case nil: break
        }
        guard let cookie else { return .anonymous }
        return Caller(cookie: cookie, identity)
    }

    /// What a field is to us, by its name.
    private enum Kind {
        case cookie
        case authorization
        case reserved
        case other

        init(of name: String) {
            switch name.utf8.count {
            case 6: self = Self.equals(name, "cookie") ? .cookie : .other
            case 13 where Self.equals(name, "authorization"): self = .authorization
            case 12...: self = IdentityFields.isReserved(name) ? .reserved : .other
            default: self = .other
            }
        }

        /// Compares without case to a text in lower case and of the same length.
        private static func equals(_ name: String, _ lower: StaticString) -> Bool {
            var name = name
            return name.withUTF8 { bytes in
                for place in 0..<bytes.count where bytes[place] | 0x20 != lower.utf8Start[place] { return false }
                return true
            }
        }
    }
}
