import GateCore
import GateHTTP
import GateIdentity
import NIOHTTP1

/// The operator's calls about users. `{who}` is an id or an e-mail address.
enum AdminUserRoutes {
    static func add(to routes: inout RouterBuilder<AdminEndpoint>) {
        routes.add(.GET, "/admin/users", list)
        routes.add(.POST, "/admin/users", add)
        routes.add(.GET, "/admin/users/{who}", show)
        routes.add(.DELETE, "/admin/users/{who}", delete)
        routes.add(.POST, "/admin/users/{who}/verify") { call in
            try await changed(call) { try await call.services.identity.markEmailVerified($0) }
        }
        routes.add(.POST, "/admin/users/{who}/disable") { call in
            try await changed(call) { try await call.services.identity.disableUser($0) }
        }
        routes.add(.POST, "/admin/users/{who}/enable") { call in
            try await changed(call) { try await call.services.identity.enableUser($0) }
        }
        routes.add(.PUT, "/admin/users/{who}/password", setPassword)
    }

    private static func list(_ call: AdminCall) async throws -> Response {
        let after = call.request.target.queryValue("after").flatMap(User.ID.init)
        let users = try await call.services.identity.listUsers(after: after, limit: try call.pageSize())
        return .list("users", users) { writer, user in writer.value(user) }
    }

    private static func add(_ call: AdminCall) async throws -> Response {
        let form = try await call.form()
        try form.require(["email"], optional: ["password", "name", "org_name"])
        let profile = try await call.services.identity.addUser(
            email: form.text("email") ?? "", password: form.text("password").map { Secret($0) }, name: form.text("name"),
            organisationName: form.text("org_name"))
        return show(profile, .created)
    }

    private static func show(_ call: AdminCall) async throws -> Response {
        show(try await call.services.identity.findUser(try call.parameter("who")))
    }

    private static func delete(_ call: AdminCall) async throws -> Response {
        let profile = try await call.services.identity.findUser(try call.parameter("who"))
        try await call.services.identity.deleteUser(profile.user.id)
        return Response(.noContent)
    }

    private static func setPassword(_ call: AdminCall) async throws -> Response {
        let form = try await call.form()
        try form.require(["password"])
        return try await changed(call) { id in
            try await call.services.identity.setPassword(Secret(form.text("password") ?? ""), of: id)
        }
    }

    /// Makes a change to the user in the path and shows the user as it is then.
    private static func changed(_ call: AdminCall, _ change: (User.ID) async throws -> Void) async throws -> Response {
        let who = try call.parameter("who")
        let id = try await call.services.identity.findUser(who).user.id
        try await change(id)
        return show(try await call.services.identity.findUser(id.description))
    }

    private static func show(_ profile: UserProfile, _ status: HTTPResponseStatus = .ok) -> Response {
        .personal(status) { writer in
            writer.beginObject()
            writer.name("user")
            writer.value(profile.user)
            writer.name("orgs")
            writer.beginArray()
            for membership in profile.memberships { writer.value(membership) }
            writer.endArray()
            writer.endObject()
        }
    }
}

extension JSONWriter {
    /// A user as the operator sees it.
    mutating func value(_ user: User) {
        beginObject()
        member("id", user.id.description)
        member("email", user.email.text)
        member("email_verified", user.isEmailVerified)
        member("name", user.name)
        member("disabled_at", user.disabledAt?.rfc3339)
        member("created_at", user.createdAt)
        member("updated_at", user.updatedAt)
        endObject()
    }
}
