import GateAccess
import GateCore
import GateHTTP
import GateIdentity
import NIOHTTP1

/// The pages that are ours on every host: where people sign in and out. Plain forms, no scripts.
enum PageRoutes {
    static func add(to routes: inout RouterBuilder<Endpoint>) {
        routes.add(.GET, OwnPages.signIn, Endpoint(access: .everyone, limit: .api, handle: showSignIn))
        routes.add(.POST, OwnPages.signIn, Endpoint(access: .everyone, limit: .byHandler, handle: signIn))
        routes.add(.GET, OwnPages.signOut, Endpoint(access: .everyone, limit: .api, handle: showSignOut))
        routes.add(.POST, OwnPages.signOut, Endpoint(access: .everyone, limit: .api, handle: signOut))
    }

    private static func showSignIn(_ call: Call) -> Reply {
        let page = SignInPage(redirect: redirect(call), origins: call.services.cors.origins)
        guard let cookie = call.request.headers.cookie(call.services.cookie.name) else { return .now(page.response()) }
        return .later {
            do {
                let principal = try await call.identity.authenticate(cookie: String(cookie))
                return page.response(signedIn: principal)
            } catch IdentityError.notAuthenticated {
                return page.response()
            }
        }
    }

    /// Counted like the log-in of the API, and answered with the page again where it fails.
    private static func signIn(_ call: Call) -> Reply {
        .later {
            var redirect = redirect(call)
            var email: String?
            do {
                return try await call.limited(by: [.api, .auth, .login, .loginAccount]) { form in
                    email = form.text("email")
                    if let text = form.text("redirect") { redirect = RedirectTarget(text, origins: call.services.cors.origins) }
                    // Our own page says where it comes from; unlike the API's log-in, nobody else has a reason to ask (CHECKLIST 13).
                    try call.refuseCrossSite()
                    try form.require(["email", "password"])
                    let signIn = try await call.identity.signIn(
                        email: email ?? "", password: Secret(form.text("password") ?? ""), device: call.device, network: call.network)
                    let token = String(decoding: signIn.cookieToken.exposed, as: UTF8.self)
                    return seeOther(
                        redirect?.location ?? "/", cookie: call.services.cookie.set(token, maxAge: signIn.refreshExpiresIn))
                }
            } catch {
                let problem = Problem(describing: error, of: call.request, log: call.services.log)
                return SignInPage(redirect: redirect, origins: call.services.cors.origins).response(email: email, after: problem)
            }
        }
    }

    private static func showSignOut(_ call: Call) -> Reply {
        .now(SignInPage(redirect: redirect(call), origins: call.services.cors.origins).signOutResponse())
    }

    /// Whoever is not signed in is signed out.
    private static func signOut(_ call: Call) throws -> Reply {
        try call.refuseCrossSite()
        let query = redirect(call).map { OwnPages.query($0) } ?? ""
        let done = seeOther(OwnPages.signIn + query, cookie: call.services.cookie.clear)
        guard let cookie = call.request.headers.cookie(call.services.cookie.name) else { return .now(done) }
        return .later {
            do {
                try await call.identity.signOut(try await call.identity.authenticate(cookie: String(cookie)))
            } catch IdentityError.notAuthenticated {
                return done
            }
            return done
        }
    }

    /// Where it goes on, by the address of the page; a form may say otherwise. `nil` for nowhere in particular, and for what is no place to send a browser to (CHECKLIST 28).
    private static func redirect(_ call: Call) -> RedirectTarget? {
        call.request.target.queryValue("redirect").flatMap { RedirectTarget($0, origins: call.services.cors.origins) }
    }

    private static func seeOther(_ location: String, cookie: String) -> Response {
        Response(.seeOther, headers: ["location": location, "set-cookie": cookie, "cache-control": "no-store"])
    }
}
