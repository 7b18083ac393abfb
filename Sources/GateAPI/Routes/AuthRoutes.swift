import GateAccess
import GateCore
import GateHTTP
import GateIdentity
import NIOHTTP1

/// Registering, signing in and out, and who one is.
enum AuthRoutes {
    static func add(to routes: inout RouterBuilder<Endpoint>) {
        routes.add(.POST, "/api/v1/auth/register", Endpoint(access: .everyone, limit: .byHandler, handle: register))
        routes.add(.POST, "/api/v1/auth/login", Endpoint(access: .everyone, limit: .byHandler, handle: signIn))
        routes.add(.POST, "/api/v1/auth/refresh", Endpoint(access: .everyone, limit: .byHandler, handle: refresh))
        routes.add(.POST, "/api/v1/auth/logout", Endpoint(access: .signedIn, limit: .api, handle: signOut))
        routes.add(.GET, "/api/v1/auth/me", Endpoint(access: .signedIn, limit: .api, handle: me))
        routes.add(.PATCH, "/api/v1/auth/me", Endpoint(access: .signedIn, limit: .api, handle: updateMe))
        routes.add(.POST, "/api/v1/auth/password", Endpoint(access: .signedIn, limit: .api, handle: changePassword))
    }

    private static func register(_ call: Call) -> Reply {
        .later {
            try await call.limited(by: [.api, .auth, .register]) { form in
                try call.refuseCrossSiteSignIn()
                try form.require(["email", "password"], optional: ["name", "org_name", "orgName"])
                let registration = RegistrationForm(
                    email: form.text("email") ?? "", password: Secret(form.text("password") ?? ""), name: form.text("name"),
                    organisationName: form.text("org_name") ?? form.text("orgName"), device: call.device)
                let signIn = try await call.identity.register(registration)
                return .signedIn(signIn, status: .created, cookie: call.services.cookie)
            }
        }
    }

    private static func signIn(_ call: Call) -> Reply {
        .later {
            try await call.limited(by: [.api, .auth, .login, .loginAccount]) { form in
                try call.refuseCrossSiteSignIn()
                try form.require(["email", "password"])
                let signIn = try await call.identity.signIn(
                    email: form.text("email") ?? "", password: Secret(form.text("password") ?? ""), device: call.device,
                    network: call.network)
                return .signedIn(signIn, cookie: call.services.cookie)
            }
        }
    }

    /// By the token in the body, or else by the cookie.
    private static func refresh(_ call: Call) -> Reply {
        .later {
            try await call.limited(by: [.api]) { form in
                try form.require([], optional: ["refresh_token"])
                if let token = form.text("refresh_token") {
                    return .signedIn(
                        try await call.identity.refresh(token: Secret(token), device: call.device), cookie: call.services.cookie)
                }
                guard let cookie = call.request.headers.cookie(call.services.cookie.name) else { throw IdentityError.notAuthenticated }
                try call.refuseCrossSite()
                let principal = try await call.identity.authenticate(cookie: String(cookie))
                return .signedIn(try await call.identity.refresh(principal), cookie: call.services.cookie)
            }
        }
    }

    private static func signOut(_ call: Call) throws -> Reply {
        let principal = try call.signedIn()
        return .later {
            try await call.identity.signOut(principal)
            return Response(.noContent, headers: ["set-cookie": call.services.cookie.clear, "cache-control": "no-store"])
        }
    }

    /// In place where the profile is remembered: no disk, no other thread.
    private static func me(_ call: Call) throws -> Reply {
        let principal = try call.signedIn()
        if let profile = call.identity.profileInPlace(of: principal) { return .now(.personal { $0.value(profile) }) }
        return .later {
            let profile = try await call.identity.profile(of: principal)
            return .personal { $0.value(profile) }
        }
    }

    private static func updateMe(_ call: Call) throws -> Reply {
        let principal = try call.signedIn()
        return .later {
            let form = try await call.form()
            try form.require([], optional: ["name", "avatar_url"])
            let profile = try await call.identity.updateProfile(
                principal, name: form.change("name"), avatarURL: form.change("avatar_url"))
            return .personal { $0.value(profile) }
        }
    }

    private static func changePassword(_ call: Call) throws -> Reply {
        let principal = try call.signedIn()
        return .later {
            let form = try await call.form()
            try form.require(["current_password", "new_password"])
            try await call.identity.changePassword(
                principal, current: Secret(form.text("current_password") ?? ""), new: Secret(form.text("new_password") ?? ""))
            return Response(.noContent)
        }
    }
}
