import GateHTTP
import NIOHTTP1

/// A request at a door, and what of its header fields is not for the application behind it.
///
/// The request stays as it came: making another one without those fields cost more than leaving them out where they are passed on.
struct Arrival: Sendable {
    let request: Request
    let withheld: WithheldFields

    /// What the application may see of the request's header fields, one by one.
    func forEachField(_ body: (_ name: String, _ value: String) -> Void) {
        for (name, value) in request.headers where !withheld.covers(name) { body(name, value) }
        if let cookies = withheld.restOfCookies { body("cookie", cookies) }
    }
}

/// Which fields are ours: identity fields in every spelling, the session cookie, an access token of ours.
struct WithheldFields: Sendable {
    /// There are fields that only we may send.
    var reserved = false
    var accessToken = false
    /// `Cookie` is left out; what goes on of the cookies, if anything, stands in ``restOfCookies``.
    var cookies = false
    var restOfCookies: String?

    var isEmpty: Bool { !reserved && !accessToken && !cookies }

    func covers(_ name: String) -> Bool {
        if isEmpty { return false }
        return switch CredentialField(name) {
        case .reserved: true
        case .authorization: accessToken
        case .cookie: cookies
        case .other: false
        }
    }
}
