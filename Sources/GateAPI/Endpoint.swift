import GateCore
import GateHTTP
import GateIdentity
import NIOHTTP1

/// One route: who may call it, what it is counted under, and what it does.
struct Endpoint: Sendable {
    enum Access: Sendable {
        /// Everyone; who it is, is not looked at.
        case everyone
        /// Whoever is signed in.
        case signedIn
    }

    enum Limit: Sendable {
        /// Never limited: health, metadata.
        case none
        /// By the policy `api`.
        case api
        /// The handler asks, for it needs the body to know under what: `Call.limited`.
        case byHandler
    }

    var access: Access
    var limit: Limit
    var handle: @Sendable (Call) throws -> Reply
}

/// What a handler answers: at once, or after waiting for a disk or another thread.
enum Reply: Sendable {
    case now(Response)
    case later(@Sendable () async throws -> Response)
}

/// A request on its way through a handler.
struct Call: Sendable {
    let request: Request
    let parameters: RouteParameters
    let services: APIServices
    /// Who is signed in; always there for an endpoint whose access is `.signedIn`.
    let principal: Principal?

    var identity: Identity { services.identity }

    func signedIn() throws(IdentityError) -> Principal {
        guard let principal else { throw .notAuthenticated }
        return principal
    }

    /// The id in the path; one that is none names nothing.
    func identifier<Entity>(_ name: String, of _: Entity.Type = Entity.self) throws(Problem) -> Identifier<Entity> {
        guard let text = parameters[name], let identifier = Identifier<Entity>(text) else { throw Problem(.notFound) }
        return identifier
    }

    func form() async throws(Problem) -> RequestForm { try await request.form(limit: services.bodyLimit) }

    /// The client's network, as failed log-ins are counted by.
    var network: String { request.client?.limitedNetwork.description ?? "local" }

    /// What the request tells of where it comes from.
    var device: Device { Device(userAgent: request.headers.first(name: "user-agent"), address: request.client?.description) }
}
