import GateAccess
import GateCore
import GateHTTP
import GateIdentity
import NIOHTTP1

/// The sessions of whoever is signed in.
enum SessionRoutes {
    static func add(to routes: inout RouterBuilder<Endpoint>) {
        routes.add(.GET, "/api/v1/auth/sessions", Endpoint(access: .signedIn, limit: .api, handle: list))
        routes.add(.DELETE, "/api/v1/auth/sessions", Endpoint(access: .signedIn, limit: .api, handle: endOthers))
        routes.add(.DELETE, "/api/v1/auth/sessions/{id}", Endpoint(access: .signedIn, limit: .api, handle: end))
    }

    private static func list(_ call: Call) throws -> Reply {
        let principal = try call.signedIn()
        return .later {
            .list("sessions", try await call.identity.listSessions(principal)) { writer, session in
                writer.value(session, isCurrent: session.id == principal.sessionID)
            }
        }
    }

    private static func end(_ call: Call) throws -> Reply {
        let principal = try call.signedIn()
        let id = try call.identifier("id", of: Session.self)
        return .later {
            try await call.identity.endSession(id, by: principal)
            var response = Response(.noContent)
            if id == principal.sessionID { response.headers.add(name: "set-cookie", value: call.services.cookie.clear) }
            return response
        }
    }

    private static func endOthers(_ call: Call) throws -> Reply {
        let principal = try call.signedIn()
        return .later {
            _ = try await call.identity.endOtherSessions(principal)
            return Response(.noContent)
        }
    }
}
