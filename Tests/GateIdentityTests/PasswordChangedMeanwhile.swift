import GateCore
import GateCrypto
import GateIdentity
import GateTesting

/// Users of whom each has the password changed just after the old one was read.
struct PasswordChangedMeanwhile: UserStore {
    let users: any UserStore
    let new: PasswordHash

    func credential(email: EmailAddress) async throws -> UserCredential? {
        let credential = try await users.credential(email: email)
        if let user = credential?.user {
            _ = try await users.setPassword(new, of: user.id, whilePassword: nil, keeping: nil, at: Sample.start)
        }
        return credential
    }

    func insert(_ user: User, passwordHash: PasswordHash?, organisation: Organisation?, session: Session?) async throws -> Bool {
        try await users.insert(user, passwordHash: passwordHash, organisation: organisation, session: session)
    }
    func profile(_ id: User.ID) async throws -> UserProfile? { try await users.profile(id) }
    func credential(id: User.ID) async throws -> UserCredential? { try await users.credential(id: id) }
    func update(_ id: User.ID, _ changes: UserChanges, at now: Timestamp) async throws -> User? {
        try await users.update(id, changes, at: now)
    }
    func setPassword(
        _ hash: PasswordHash, of id: User.ID, whilePassword old: PasswordHash?, keeping session: Session.ID?, at now: Timestamp
    ) async throws -> [EndedSession]? {
        try await users.setPassword(hash, of: id, whilePassword: old, keeping: session, at: now)
    }
    func rehash(_ id: User.ID, from old: PasswordHash, to new: PasswordHash) async throws {
        try await users.rehash(id, from: old, to: new)
    }
    func setDisabled(_ disabled: Bool, _ id: User.ID, at now: Timestamp) async throws -> [EndedSession]? {
        try await users.setDisabled(disabled, id, at: now)
    }
    func delete(_ id: User.ID) async throws -> [EndedSession]? { try await users.delete(id) }
    func list(after: User.ID?, limit: Int) async throws -> [User] { try await users.list(after: after, limit: limit) }
}
