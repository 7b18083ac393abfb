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
    func insert(_ user: User, passwordHash: PasswordHash?, organisation: Organisation?, session: NewSession?) async throws -> Bool

    func profile(_ id: User.ID) async throws -> UserProfile?

    func credential(email: EmailAddress) async throws -> UserCredential?

    func credential(id: User.ID) async throws -> UserCredential?

    /// Changes name, avatar, verification and `updatedAt` of the user to those given; other fields are left as they are.
    /// - Returns: `false` where there is no such user.
    func update(_ user: User) async throws -> Bool

    /// Sets the password, and ends every session of the user but `keeping`.
    /// - Returns: the sessions ended; `nil` where there is no such user.
    func setPassword(_ hash: PasswordHash, of id: User.ID, keeping session: Session.ID?, at now: Timestamp) async throws -> [EndedSession]?

    /// Replaces the hash of an unchanged password, if it is still `old`: a changed cost, applied at the next log-in.
    func rehash(_ id: User.ID, from old: PasswordHash, to new: PasswordHash) async throws

    /// Disables the user since `now` and ends every session, or enables again.
    /// - Returns: the sessions ended; `nil` where there is no such user.
    func setDisabled(_ disabled: Bool, _ id: User.ID, at now: Timestamp) async throws -> [EndedSession]?

    /// Deletes the user and everything of theirs; organisations without a member left go too.
    /// - Returns: the sessions that were alive; `nil` where there is no such user.
    func delete(_ id: User.ID, at now: Timestamp) async throws -> [EndedSession]?

    /// Users in the order of their creation, after the user `after`, `limit` at most.
    func list(after: User.ID?, limit: Int) async throws -> [User]
}
