/// What a caller got wrong, or may not do.
package enum IdentityError: Error, Hashable, Sendable {
    /// One entry for each field, and for each requirement, that is not met.
    case invalid([FieldFault])
    case emailTaken
    case registrationClosed
    /// The address is unknown, or the password wrong: which of them is not told.
    case invalidCredentials
    /// Told only to one who knows the password.
    case accountDisabled
    /// No token, or one that is none.
    case notAuthenticated
    case tokenExpired
    /// The token was good once; it, its session or its user was ended.
    case tokenRevoked
    case forbidden
    case notFound
    /// Log-ins have failed too often: the next is tried after this time.
    case waitBeforeNextAttempt(Duration)
    /// Too many passwords wait to be hashed.
    case overloaded(retryAfter: Duration)
    /// An organisation must keep an owner.
    case lastOwner
}

/// One requirement that a field does not meet.
package struct FieldFault: Hashable, Sendable {
    /// As in the request's JSON.
    package var field: String
    /// For programs: `too_short`.
    package var code: String
    /// For people.
    package var message: String

    package init(field: String, code: String, message: String) {
        self.field = field
        self.code = code
        self.message = message
    }
}
