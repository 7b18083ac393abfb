import GateCore
import NIOCore
package import NIOHTTP1

/// The kinds of error that a client can meet. The raw value is the `code`; `type` is `/problems/<code>` under the public URL.
package enum ProblemKind: String, CaseIterable, Sendable {
    case malformed = "request/malformed"
    case invalid = "request/invalid"
    case tooLarge = "request/too-large"
    case headersTooLarge = "request/headers-too-large"
    case timedOut = "request/timeout"
    case authenticationRequired = "auth/required"
    case invalidCredentials = "auth/invalid-credentials"
    case tokenExpired = "auth/token-expired"
    case tokenRevoked = "auth/token-revoked"
    case forbidden = "auth/forbidden"
    case crossSite = "auth/csrf"
    case emailTaken = "auth/email-taken"
    case accountDisabled = "auth/account-disabled"
    case notFound = "not-found"
    case methodNotAllowed = "method-not-allowed"
    case preconditionFailed = "request/precondition-failed"
    case rangeNotSatisfiable = "request/range-not-satisfiable"
    case unsupportedMediaType = "unsupported-media-type"
    case rateLimited = "rate-limit/exceeded"
    case unavailable = "unavailable"
    case upstreamUnreachable = "upstream/unreachable"
    case upstreamTimeout = "upstream/timeout"
    case notImplemented = "not-implemented"
    case `internal` = "internal"

    package var status: HTTPResponseStatus {
        switch self {
        case .malformed: .badRequest
        case .invalid: .unprocessableEntity
        case .tooLarge: .payloadTooLarge
        case .headersTooLarge: .requestHeaderFieldsTooLarge
        case .timedOut: .requestTimeout
        case .authenticationRequired, .invalidCredentials, .tokenExpired, .tokenRevoked: .unauthorized
        case .forbidden, .crossSite, .accountDisabled: .forbidden
        case .emailTaken: .conflict
        case .notFound: .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .preconditionFailed: .preconditionFailed
        case .rangeNotSatisfiable: .rangeNotSatisfiable
        case .unsupportedMediaType: .unsupportedMediaType
        case .rateLimited: .tooManyRequests
        case .unavailable: .serviceUnavailable
        case .upstreamUnreachable: .badGateway
        case .upstreamTimeout: .gatewayTimeout
        case .notImplemented: .notImplemented
        case .internal: .internalServerError
        }
    }

    package var title: String {
        switch self {
        case .malformed: "The request is malformed"
        case .invalid: "The request is invalid"
        case .tooLarge: "The request is too large"
        case .headersTooLarge: "The header fields are too large"
        case .timedOut: "The request took too long"
        case .authenticationRequired: "Authentication is required"
        case .invalidCredentials: "The credentials are wrong"
        case .tokenExpired: "The token has expired"
        case .tokenRevoked: "The token has been revoked"
        case .forbidden: "Access is denied"
        case .crossSite: "The request came from another site"
        case .emailTaken: "The e-mail address is taken"
        case .accountDisabled: "The account is disabled"
        case .notFound: "Not found"
        case .methodNotAllowed: "The method is not allowed"
        case .preconditionFailed: "A precondition does not hold"
        case .rangeNotSatisfiable: "The range lies outside of the content"
        case .unsupportedMediaType: "The media type is not supported"
        case .rateLimited: "Too many requests"
        case .unavailable: "The service is unavailable"
        case .upstreamUnreachable: "The application cannot be reached"
        case .upstreamTimeout: "The application took too long"
        case .notImplemented: "This cannot be done here"
        case .internal: "Something went wrong"
        }
    }
}

/// An error on its way to a client: a problem document (RFC 9457) without what the request adds to it.
package struct Problem: Error, Sendable {
    package var kind: ProblemKind
    /// What happened this time, in a sentence for the client's developer. Nothing internal: it is sent in production too.
    package var detail: String?
    package var errors: [FieldError]
    /// Sent beside the document: `Retry-After`, `Allow`.
    package var headers: HTTPHeaders

    /// One field that a form got wrong.
    package struct FieldError: Hashable, Sendable {
        package var field: String
        package var code: String
        package var message: String

        package init(field: String, code: String, message: String) {
            self.field = field
            self.code = code
            self.message = message
        }
    }

    package init(_ kind: ProblemKind, _ detail: String? = nil, errors: [FieldError] = [], headers: HTTPHeaders = [:]) {
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.headers = headers
        if kind.status == .unauthorized { self.headers.replaceOrAdd(name: "www-authenticate", value: "Bearer") }
    }

    /// The response for the request of that id. `baseURL` is the public URL without a slash at its end.
    package func response(id: RequestID, instance: some StringProtocol, baseURL: String) -> Response {
        var writer = JSONWriter(reserving: 320)
        writer.beginObject()
        writer.member("type", "\(baseURL)/problems/\(kind.rawValue)")
        writer.member("title", kind.title)
        writer.member("status", Int64(kind.status.code))
        if let detail { writer.member("detail", detail) }
        writer.member("instance", String(instance))
        writer.member("code", kind.rawValue)
        writer.member("request_id", id.description)
        if !errors.isEmpty {
            writer.name("errors")
            writer.beginArray()
            for error in errors {
                writer.beginObject()
                writer.member("field", error.field)
                writer.member("code", error.code)
                writer.member("message", error.message)
                writer.endObject()
            }
            writer.endArray()
        }
        writer.endObject()
        var headers = headers
        headers.replaceOrAdd(name: "content-type", value: "application/problem+json")
        headers.replaceOrAdd(name: "cache-control", value: "no-store")
        return Response(kind.status, headers: headers, body: .bytes(ByteBuffer(bytes: writer.bytes)))
    }
}
