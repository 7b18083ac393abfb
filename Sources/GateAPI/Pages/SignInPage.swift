import GateAccess
import GateHTTP
import GateIdentity
import NIOHTTP1

/// The page where people sign in, in its several states.
struct SignInPage {
    /// Where it goes on afterwards.
    var redirect: RedirectTarget?
    /// The origins that ``redirect`` may be of.
    var origins: Set<String>

    private var query: String { redirect.map { OwnPages.query($0) } ?? "" }

    /// - Parameters:
    ///   - email: what was typed before.
    ///   - problem: what went wrong with it.
    func response(email: String? = nil, after problem: Problem? = nil) -> Response {
        let alarm: HTML? = problem.map { "<p class=\"alarm\" role=\"alert\" id=\"alarm\">\(Self.words(for: $0))</p>" }
        let emailFocus: HTML = email == nil ? " autofocus" : ""
        let passwordFocus: HTML = email == nil ? "" : " autofocus"
        let described: HTML = problem == nil ? "" : " aria-describedby=\"alarm\""
        let content: HTML = """
            <h1>Sign in</h1>
            \(alarm)
            <form method="post" action="\(OwnPages.signIn + query)">
            <label for="email">E-mail address</label>
            <input id="email" name="email" type="email" autocomplete="username" required maxlength="254" value="\(email ?? "")"\(emailFocus)\(described)>
            <label for="password">Password</label>
            <input id="password" name="password" type="password" autocomplete="current-password" required\(passwordFocus)\(described)>
            <button>Sign in</button>
            </form>
            """
        return page("Sign in", content).response(problem?.kind.status ?? .ok, headers: problem?.headers ?? [:])
    }

    func response(signedIn principal: Principal) -> Response {
        let content: HTML = """
            <h1>You are signed in</h1>
            <p>As \(principal.name ?? principal.email.text).</p>
            <a class="button" href="\(redirect?.location ?? "/")">Continue</a>
            <form method="post" action="\(OwnPages.signOut + query)"><button class="plain">Sign in as somebody else</button></form>
            """
        return page("You are signed in", content).response(.ok)
    }

    func signOutResponse() -> Response {
        let content: HTML = """
            <h1>Sign out?</h1>
            <form method="post" action="\(OwnPages.signOut + query)"><button>Sign out</button></form>
            """
        return page("Sign out", content).response(.ok)
    }

    private func page(_ title: String, _ content: HTML) -> OwnPage {
        var page = OwnPage(title: title, content: content)
        page.formOrigins = redirect.map { target in origins.filter { target.location.hasPrefix($0) }.sorted() } ?? []
        return page
    }

    /// For people: what happened and what to do.
    private static func words(for problem: Problem) -> String {
        switch problem.kind {
        case .invalid: "Fill in both the e-mail address and the password."
        case .rateLimited:
            problem.headers.first(name: "retry-after").map { "Too many attempts. Try again in \($0) seconds." } ?? "Too many attempts."
        case .unavailable: "Signing in is not possible right now. Try again in a moment."
        case .crossSite: "This form was not sent from this page. Try again here."
        default: problem.detail ?? problem.kind.title
        }
    }
}
