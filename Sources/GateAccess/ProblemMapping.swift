import GateCore
package import GateHTTP
import GateIdentity
package import Logging
import NIOHTTP1

extension Problem {
    /// The one place where errors become what a client is told.
    ///
    /// What is ours to mend is logged here in full, with the request's id; the client is told nothing internal.
    package init(describing error: any Error, of request: Request, log: Logger) {
        switch error {
        case let problem as Problem: self = problem
        case let error as IdentityError: self.init(telling: error)
        case let error as StorageError:
            log.error("A request failed for want of the database", metadata: ["request_id": "\(request.id)", "error": "\(error)"])
            self.init(.unavailable, "Storage is unavailable. Nothing was changed; try again later.", headers: ["retry-after": "5"])
        case is CancellationError: self.init(.unavailable, "The request was cancelled.")
        default:
            log.error("A request failed", metadata: ["request_id": "\(request.id)", "error": "\(String(reflecting: error))"])
            self.init(.internal)
        }
    }

    private init(telling error: IdentityError) {
        switch error {
        case .invalid(let faults):
            self.init(
                .invalid, "Some fields need attention.",
                errors: faults.map { FieldError(field: $0.field, code: $0.code, message: $0.message) })
        case .emailTaken: self.init(.emailTaken, "There is an account with this e-mail address already.")
        case .registrationClosed: self.init(.forbidden, "Registration is closed.")
        case .invalidCredentials: self.init(.invalidCredentials, "The e-mail address or the password is wrong.")
        case .accountDisabled: self.init(.accountDisabled, "This account has been disabled.")
        case .notAuthenticated: self.init(.authenticationRequired, "Sign in, or send a valid token.")
        case .tokenExpired: self.init(.tokenExpired, "Refresh the access token, or sign in again.")
        case .tokenRevoked: self.init(.tokenRevoked, "The session was ended. Sign in again.")
        case .forbidden: self.init(.forbidden, "Your role does not allow this.")
        case .notFound: self.init(.notFound)
        case .lastOwner: self.init(.forbidden, "An organisation must keep at least one owner.")
        case .waitBeforeNextAttempt(let wait):
            self.init(
                .rateLimited, "Log-ins to this address failed too often.", headers: ["retry-after": "\(max(1, wait.secondsRoundedUp))"])
        case .overloaded(let wait):
            self.init(.unavailable, "Too many passwords are being checked.", headers: ["retry-after": "\(max(1, wait.secondsRoundedUp))"])
        }
        // RFC 6750 §3.1: the error attribute is for requests that carried a token.
        if error == .tokenExpired || error == .tokenRevoked {
            headers.replaceOrAdd(name: "www-authenticate", value: "Bearer error=\"invalid_token\"")
        }
    }
}
