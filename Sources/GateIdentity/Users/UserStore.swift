package import GateCore
package import GateCrypto

/// Where users are kept.
///
/// Every method throws `StorageError` and nothing else. Each is atomic, and what changes something returns when the change is
/// durable. A user is found whether disabled or not.
package protocol UserStore: Sendable {
    /// Adds a user, and with it the organisation (whose owner the user becomes) and the session where they are given: all or
    /// nothing.
    /// - Returns: `false`, and nothing is changed, where the address is taken.
    func insert(_ user: User, passwordHash: PasswordHash?, organisation: Organisation?, session: Session?) async throws -> Bool

    func profile(_ id: User.ID) async throws -> UserProfile?

    func credential(email: EmailAddress) async throws -> UserCredential?

    func credential(id: User.ID) async throws -> UserCredential?

    /// Makes the changes, and sets `updatedAt` to `now`.
    /// - Returns: the user as changed; `nil` where there is no such user.
    func update(_ id: User.ID, _ changes: UserChanges, at now: Timestamp) async throws -> User?

    /// Sets the password, and ends every session of the user but `keeping`; their revocations are recorded with it.
    /// - Parameter old: where given, what the password must still be: of two who change it at once, the second knew one that is no
    ///   longer right.
    /// - Returns: the sessions ended; `nil` where there is no such user, or the password is another.
    func setPassword(
        _ hash: PasswordHash, of id: User.ID, whilePassword old: PasswordHash?, keeping session: Session.ID?, at now: Timestamp
    ) async throws -> [EndedSession]?

    /// Replaces the hash of an unchanged password, if it is still `old`: a changed cost, applied at the next log-in.
    func rehash(_ id: User.ID, from old: PasswordHash, to new: PasswordHash) async throws

    /// Disables the user since `now` and ends every session, or enables again.
    /// - Returns: the sessions ended; `nil` where there is no such user.
    func setDisabled(_ disabled: Bool, _ id: User.ID, at now: Timestamp) async throws -> [EndedSession]?

    /// Deletes the user and everything of theirs. An organisation without a member left goes too; one without an owner left is
    /// given to the admin who joined first, else to the member who did.
    /// - Returns: the sessions ended; `nil` where there is no such user.
    func delete(_ id: User.ID) async throws -> [EndedSession]?

    /// Users in the order of their creation, after the user `after`, `limit` at most.
    func list(after: User.ID?, limit: Int) async throws -> [User]
}

/// What is to be changed of a user. `nil` leaves a field as it is; `.some(nil)` empties it.
package struct UserChanges: Hashable, Sendable {
    package var name: String??
    package var avatarURL: String??
    package var isEmailVerified: Bool?

    package init(name: String?? = nil, avatarURL: String?? = nil, isEmailVerified: Bool? = nil) {
        self.name = name
        self.avatarURL = avatarURL
        self.isEmailVerified = isEmailVerified
    }
}
