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
    init(takenFrom request: inout Request, cookie name: String, identity: Identity) {
        var authorization: String?
        var cookies = CookieSieve(name: name)
        var hasReserved = false
        for (field, value) in request.headers {
            switch field.utf8.count {
            case 6 where field.equalsASCII("cookie"): cookies.add(value)
            case 13 where field.equalsASCII("authorization"):
                isAmbiguous = authorization != nil
                authorization = value
            case 12... where IdentityFields.isReserved(field): hasReserved = true
            default: break
            }
        }
        if hasReserved {
            request.headers = HTTPHeaders(request.headers.filter { !IdentityFields.isReserved($0.name) })
        }
        if cookies.hasChanged {
            request.headers.remove(name: "cookie")
            if let rest = cookies.rest { request.headers.add(name: "cookie", value: rest) }
        }
        cookie = cookies.found
        guard let authorization, !isAmbiguous, let token = Caller.bearerToken(authorization) else { return }
        do throws(IdentityError) {
            bearer = .success(try identity.authenticate(bearer: token))
        } catch {
            guard error != .notAuthenticated else { return }
            bearer = .failure(error)
        }
        request.headers.remove(name: "authorization")
    }

    /// `Authorization` counts before the cookie, as in ``Caller/init(of:cookie:identity:)``.
    func caller(_ identity: Identity) -> Caller {
        switch bearer {
        case .success(let principal): return .principal(principal)
        case .failure(let error): return .refused(error)
        case nil: break
        }
        guard let cookie else { return .anonymous }
        return identity.authenticateInPlace(cookie: cookie).map(Caller.principal) ?? .unknownCookie(cookie)
    }
}

/// Takes one cookie out of `Cookie` fields, and puts what is left into one field, as HTTP/1.1 wants it (RFC 9113 §8.2.3).
struct CookieSieve {
    private let name: String
    private var values: [Substring] = []
    private var kept: [UInt8] = []
    private var fields = 0

    init(name: String) { self.name = name }

    mutating func add(_ value: String) {
        fields += 1
        var value = value
        value.makeContiguousUTF8()
        for pair in value.utf8.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: true) {
            let pair = Substring(pair).trimmingSpaces()
            guard !pair.isEmpty else { continue }
            if let equals = pair.utf8.firstIndex(of: UInt8(ascii: "=")), pair[..<equals].trimmingSpaces() == name {
                values.append(pair[pair.utf8.index(after: equals)...].trimmingSpaces())
            } else {
                if !kept.isEmpty { kept += [UInt8(ascii: ";"), UInt8(ascii: " ")] }
                kept += pair.utf8
            }
        }
    }

    /// Whether the fields as they came are not those to send.
    var hasChanged: Bool { !values.isEmpty || fields > 1 }
    var rest: String? { kept.isEmpty ? nil : String(decoding: kept, as: UTF8.self) }
    var found: String? {
        guard let first = values.first, values.allSatisfy({ $0 == first }) else { return nil }
        return String(first)
    }
}

extension String {
    /// Compared without case to a text in lower case and of the same length.
    fileprivate func equalsASCII(_ lower: StaticString) -> Bool {
        var place = 0
        for byte in utf8 {
            let folded = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
            if folded != lower.utf8Start[place] { return false }
            place += 1
        }
        return true
    }
}
