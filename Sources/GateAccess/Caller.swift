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
    /// It carries what memory cannot answer for: the database must be asked, see ``Unproven/principal(_:)``.
    case unproven(Unproven)

    package enum Unproven: Sendable {
        /// A session cookie that is not remembered.
        case cookie(String)
        /// A good access token, at a time when this instance may not have heard of its revocation.
        case bearer(Principal)
        /// An access token that none of our keys has signed, at a time when this instance may not have heard of a new one.
        case unknownBearer(String)

        /// - Throws: `IdentityError`; `StorageError` where the database could not be asked.
        package func principal(_ identity: Identity) async throws -> Principal {
            switch self {
            case .cookie(let token): return try await identity.authenticate(cookie: token)
            case .bearer(let principal):
                try await identity.confirm(principal)
                return principal
            case .unknownBearer(let token): return try await identity.authenticateAgain(bearer: token)
            }
        }
    }

    /// `Authorization` counts before the cookie: a program that sends it means it (RFC 6750 §2.1).
    package init(of request: Request, cookie: SessionCookie, identity: Identity) {
        var authorization: String?
        var hasCookies = false
        for (name, value) in request.headers {
            switch CredentialField(name) {
            case .authorization:
                guard authorization == nil else {
                    self = .refused(.notAuthenticated)
                    return
                }
                authorization = value
            case .cookie: hasCookies = true
            case .reserved, .other: break
            }
        }
        if let authorization {
            guard let token = Self.bearerToken(in: authorization.utf8.span) else {
                self = .refused(.notAuthenticated)
                return
            }
            do throws(IdentityError) {
                self.init(bearer: try identity.authenticate(bearer: authorization.utf8.span.extracting(token)), identity)
            } catch {
                self =
                    error == .notAuthenticated && !identity.isMemoryCurrent
                    ? .unproven(.unknownBearer(authorization.text(at: token))) : .refused(error)
            }
        } else if hasCookies, let value = request.headers.cookie(cookie.name) {
            self.init(cookie: String(value), identity)
        } else {
            self = .anonymous
        }
    }

    init(bearer principal: Principal, _ identity: Identity) {
        self = identity.isMemoryCurrent ? .principal(principal) : .unproven(.bearer(principal))
    }

    init(cookie token: String, _ identity: Identity) {
        self = identity.authenticateInPlace(cookie: token).map(Caller.principal) ?? .unproven(.cookie(token))
    }

    package var principal: Principal? {
        if case .principal(let principal) = self { principal } else { nil }
    }

    package func get() throws(IdentityError) -> Principal {
        switch self {
        case .principal(let principal): return principal
        case .refused(let error): throw error
        case .anonymous, .unproven: throw .notAuthenticated
        }
    }

    /// Where the token stands after `Bearer`, without the spaces around it; `nil` for another scheme. The scheme is compared without case
    /// (RFC 9110 §11.1).
    ///
    /// - Parameter value: of an `Authorization` field.
    static func bearerToken(in value: Span<UInt8>) -> Range<Int>? {
        let scheme: StaticString = "bearer "
        guard value.count > scheme.utf8CodeUnitCount else { return nil }
        for place in 0..<scheme.utf8CodeUnitCount where value[place] | 0x20 != scheme.utf8Start[place] { return nil }
        var start = scheme.utf8CodeUnitCount
        var end = value.count
        while start < end, value[start] == 0x20 || value[start] == 0x09 { start += 1 }
        while end > start, value[end - 1] == 0x20 || value[end - 1] == 0x09 { end -= 1 }
        return start..<end
    }
}

extension String {
    func text(at range: Range<Int>) -> String { String(decoding: Array(utf8)[range], as: UTF8.self) }
}
