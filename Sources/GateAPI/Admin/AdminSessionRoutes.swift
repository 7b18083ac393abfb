import GateCore
import GateHTTP
import GateIdentity
import NIOHTTP1

/// The operator's calls about sessions.
enum AdminSessionRoutes {
    static func add(to routes: inout RouterBuilder<AdminEndpoint>) {
        routes.add(.GET, "/admin/users/{who}/sessions", list)
        routes.add(.DELETE, "/admin/users/{who}/sessions", endAll)
        routes.add(.DELETE, "/admin/sessions/{id}", end)
    }

    private static func list(_ call: AdminCall) async throws -> Response {
        let user = try await call.services.identity.findUser(try call.parameter("who")).user
        let sessions = try await call.services.identity.listSessions(of: user.id)
        return .list("sessions", sessions) { writer, session in writer.value(session, isCurrent: nil) }
    }

    private static func endAll(_ call: AdminCall) async throws -> Response {
        let user = try await call.services.identity.findUser(try call.parameter("who")).user
        return ended(try await call.services.identity.endSessions(.all(of: user.id)))
    }

    private static func end(_ call: AdminCall) async throws -> Response {
        guard let id = Session.ID(try call.parameter("id")) else { throw Problem(.notFound) }
        let ended = try await call.services.identity.endSessions(.one(id))
        guard ended > 0 else { throw Problem(.notFound, "There is no such session, or it is over.") }
        return Self.ended(ended)
    }

    private static func ended(_ count: Int) -> Response {
        .personal { writer in
            writer.beginObject()
            writer.member("ended", Int64(count))
            writer.endObject()
        }
    }
}
