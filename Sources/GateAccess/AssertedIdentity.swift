package import GateCore
package import GateHTTP
package import GateIdentity

/// Somebody whom the application behind a door is told of, and what it is told. One serves the requests of a session for a while.
package final class AssertedIdentity: Sendable {
    /// How long it is used again, from the moment it was made: an assertion that is sent is good for as long at least.
    static let reuse = Duration.seconds(30)

    package let principal: Principal
    /// The identity fields in the form in which they are sent.
    package let fields: EncodedFields
    /// The same with an empty field for each that is not there, see ``IdentityFields/completed(_:)``.
    package let completedFields: EncodedFields

    private let source: Principal
    private let audience: String
    private let door: UInt64
    private let madeAt: Timestamp
    private let endsAt: Timestamp

    /// - Parameters:
    ///   - source: who the token or the cookie said it was: where it is the same object again, nothing is compared.
    ///   - now: of the wall clock, which an assertion's times are told in.
    package init(_ principal: Principal, madeFrom source: Principal, at door: Door, fields: EncodedFields, now: Timestamp) {
        self.principal = principal
        self.source = source
        self.fields = fields
        completedFields = IdentityFields.completed(fields)
        audience = door.name
        self.door = door.number
        madeAt = now
        endsAt = now + Self.reuse
    }

    /// Whether it may be told of `other` there and then. If the clock was set back, what it says is not used; whatever changed about them
    /// since (a role, the address) makes it of no use.
    func holds(for other: Principal, at door: Door, now: Timestamp) -> Bool {
        madeAt <= now && now < endsAt && self.door == door.number && audience == door.name
            && (source === other || principal.isSaidToBe(other))
    }
}

extension Principal {
    /// Whether all that is told of `other` is the same. An access token does not know the name: any will do.
    fileprivate func isSaidToBe(_ other: Principal) -> Bool {
        tokenID == other.tokenID && sessionID == other.sessionID && userID == other.userID && method == other.method
            && organisationID == other.organisationID && isEmailVerified == other.isEmailVerified && expiresAt == other.expiresAt
            && email == other.email && roles == other.roles && (method == .bearer || name == other.name)
    }
}
