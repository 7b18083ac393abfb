extension ProblemKind {
    /// For the page that a problem's `type` leads to: what it means, and what a client can do.
    package var explanation: String {
        switch self {
        case .malformed:
            "The request could not be read: its framing, its target or its body is not what its type demands. Sending it again unchanged will not help."
        case .invalid:
            "The request was read, but some of its fields do not meet the requirements. The member \"errors\" names each field and what is wrong with it."
        case .tooLarge: "The body is larger than the server accepts."
        case .headersTooLarge:
            "The request line and header fields are larger, or more, than the server accepts. A large cookie is a usual cause."
        case .timedOut: "The request did not arrive in time. Try again over a better connection."
        case .authenticationRequired:
            "The call needs a signed-in user: send the session cookie, or an access token in \"Authorization: Bearer\"."
        case .invalidCredentials: "The e-mail address or the password is wrong. Which of them is not told."
        case .tokenExpired: "The access token was valid and is over. Exchange the refresh token for a new one."
        case .tokenRevoked:
            "The session was ended: by signing out, by a password change, by the operator, or because a refresh token was used twice. Sign in again."
        case .forbidden: "The user is known, and may not do this."
        case .crossSite:
            "A request that changes something came with the session cookie but not from the site's own pages. Programs should send an access token instead of the cookie."
        case .emailTaken: "Another account has this e-mail address. Sign in instead, or use another address."
        case .accountDisabled: "The operator has disabled the account."
        case .notFound: "There is nothing here, or nothing that this user may see."
        case .methodNotAllowed: "The path exists, but not for this method. The field \"Allow\" lists those it exists for."
        case .preconditionFailed:
            "What is here is not what \"If-Match\" or \"If-Unmodified-Since\" asks for: it has changed, or never was. Fetch it anew."
        case .rangeNotSatisfiable: "Nothing of the range asked for exists. The field \"Content-Range\" tells the content's length."
        case .unsupportedMediaType: "The body's type is not accepted here: send JSON, or a form, in UTF-8 and uncompressed."
        case .rateLimited:
            "Too many requests came from this user or network. Wait as long as \"Retry-After\" says: the next request is then admitted."
        case .unavailable: "The server cannot do this at the moment. Nothing was changed. Try again after the time in \"Retry-After\"."
        case .upstreamUnreachable: "The application behind the server does not answer."
        case .upstreamTimeout: "The application behind the server took too long to answer."
        case .notImplemented: "The server, or the application behind it, does not speak the protocol that was asked for."
        case .internal: "An error of ours. The operator finds it in the log by \"request_id\"."
        }
    }
}
