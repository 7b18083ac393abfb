import GateCore
package import GateHTTP
package import GateIdentity
import NIOHTTP1

/// Who a request says it is from.
package enum Caller: Sendable {
    /// It carries nothing.
    case anonymous
    case principal(Principal)
    /// It carries something that is not accepted.
    case refused(IdentityError)
    /// It carries a session cookie that is not remembered: the database must be asked.
    case unknownCookie(String)

    /// `Authorization` counts before the cookie: a program that sends it means it (RFC 6750 §2.1).
    package init(of request: Request, cookie: SessionCookie, identity: Identity) {
        let authorization = request.headers["authorization"]
        if let value = authorization.first {
            guard authorization.count == 1, let token = Self.bearerToken(value) else {
                self = .refused(.notAuthenticated)
                return
            }
            do throws(IdentityError) {
                self = .principal(try identity.authenticate(bearer: token))
            } catch {
                self = .refused(error)
            }
        } else if let value = request.headers.cookie(cookie.name) {
            let token = String(value)
            self = identity.authenticateInPlace(cookie: token).map(Caller.principal) ?? .unknownCookie(token)
        } else {
            self = .anonymous
        }
    }

    package var principal: Principal? {
        if case .principal(let principal) = self { principal } else { nil }
    }

    package func get() throws(IdentityError) -> Principal {
        switch self {
        case .principal(let principal): return principal
        case .refused(let error): throw error
        case .anonymous, .unknownCookie: throw .notAuthenticated
        }
    }

    /// The token after `Bearer`, without the spaces around it; `nil` for another scheme. The scheme is compared without case
    /// (RFC 9110 §11.1).
    static func bearerToken(_ value: String) -> String? {
        var value = value
        return value.withUTF8 { bytes in
            let scheme: StaticString = "bearer "
            guard bytes.count > scheme.utf8CodeUnitCount else { return nil }
            for place in 0..<scheme.utf8CodeUnitCount where bytes[place] | 0x20 != scheme.utf8Start[place] { return nil }
            var start = scheme.utf8CodeUnitCount
            var end = bytes.count
            while start < end, bytes[start] == 0x20 || bytes[start] == 0x09 { start += 1 }
            while end > start, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
            return String(decoding: bytes[start..<end], as: UTF8.self)
        }
    }
}
