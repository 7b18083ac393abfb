import GateAccess
import GateCore
import GateHTTP
import GateIdentity
import NIOHTTP1

extension Response {
    /// What signing in, registering and refreshing answer: tokens for programs, a cookie for browsers (RFC 6749 §5.1).
    static func signedIn(_ signIn: SignIn, status: HTTPResponseStatus = .ok, cookie: SessionCookie) -> Response {
        var response = personal(status) { writer in
            writer.beginObject()
            writer.name("user")
            writer.value(signIn.profile)
            writer.member("access_token", String(decoding: signIn.accessToken.exposed, as: UTF8.self))
            writer.member("token_type", "Bearer")
            writer.member("expires_in", signIn.accessExpiresIn.components.seconds)
            writer.member("refresh_token", String(decoding: signIn.refreshToken.exposed, as: UTF8.self))
            writer.member("refresh_expires_in", signIn.refreshExpiresIn.components.seconds)
            writer.member("session_id", signIn.session.id.description)
            writer.endObject()
        }
        let token = String(decoding: signIn.cookieToken.exposed, as: UTF8.self)
        response.headers.add(name: "set-cookie", value: cookie.set(token, maxAge: signIn.refreshExpiresIn))
        return response
    }
}
