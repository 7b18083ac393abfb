import GateCore
import GateHTTP
import GateIdentity
import NIOHTTP1

/// Organisations and who belongs to them.
enum OrganisationRoutes {
    static func add(to routes: inout RouterBuilder<Endpoint>) {
        routes.add(.GET, "/api/v1/orgs", Endpoint(access: .signedIn, limit: .api, handle: list))
        routes.add(.POST, "/api/v1/orgs", Endpoint(access: .signedIn, limit: .api, handle: create))
        routes.add(.GET, "/api/v1/orgs/{id}", Endpoint(access: .signedIn, limit: .api, handle: show))
        routes.add(.GET, "/api/v1/orgs/{id}/members", Endpoint(access: .signedIn, limit: .api, handle: members))
        routes.add(.PATCH, "/api/v1/orgs/{id}/members/{user}", Endpoint(access: .signedIn, limit: .api, handle: changeRole))
        routes.add(.DELETE, "/api/v1/orgs/{id}/members/{user}", Endpoint(access: .signedIn, limit: .api, handle: removeMember))
    }

    private static func list(_ call: Call) throws -> Reply {
        let principal = try call.signedIn()
        return .later {
            .list("orgs", try await call.identity.listOrganisations(principal)) { writer, membership in writer.value(membership) }
        }
    }

    private static func create(_ call: Call) throws -> Reply {
        let principal = try call.signedIn()
        return .later {
            let form = try await call.form()
            try form.require(["name"])
            let membership = try await call.identity.createOrganisation(name: form.text("name") ?? "", by: principal)
            return .personal(.created) { $0.value(membership) }
        }
    }

    private static func show(_ call: Call) throws -> Reply {
        let principal = try call.signedIn()
        let id = try call.identifier("id", of: Organisation.self)
        return .later {
            let membership = try await call.identity.organisation(id, for: principal)
            return .personal { $0.value(membership) }
        }
    }

    private static func members(_ call: Call) throws -> Reply {
        let principal = try call.signedIn()
        let id = try call.identifier("id", of: Organisation.self)
        return .later {
            .list("members", try await call.identity.members(of: id, for: principal)) { writer, member in writer.value(member) }
        }
    }

    private static func changeRole(_ call: Call) throws -> Reply {
        let principal = try call.signedIn()
        let id = try call.identifier("id", of: Organisation.self)
        let user = try call.identifier("user", of: User.self)
        return .later {
            let form = try await call.form()
            try form.require(["role"])
            guard let role = Role(rawValue: form.text("role") ?? "") else {
                let known = Role.allCases.map(\.rawValue).joined(separator: ", ")
                throw IdentityError.invalid([FieldFault(field: "role", code: "unknown", message: "The role must be one of \(known).")])
            }
            try await call.identity.changeRole(of: user, to: role, in: id, by: principal)
            return Response(.noContent)
        }
    }

    private static func removeMember(_ call: Call) throws -> Reply {
        let principal = try call.signedIn()
        let id = try call.identifier("id", of: Organisation.self)
        let user = try call.identifier("user", of: User.self)
        return .later {
            try await call.identity.removeMember(user, from: id, by: principal)
            return Response(.noContent)
        }
    }
}
