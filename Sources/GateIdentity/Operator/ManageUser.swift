package import GateCore
import GateCrypto

/// What the operator does to a user. Each throws `.notFound` where there is no such user, and `StorageError`.
extension Identity {
    package func markEmailVerified(_ id: User.ID) async throws {
        guard try await users.update(id, UserChanges(isEmailVerified: true), at: time.now()) != nil else { throw IdentityError.notFound }
        await forgetProfile(id)
    }

    /// Sets a password; every session of the user ends (CHECKLIST 6).
    /// - Throws: `.invalid`, `.overloaded` besides.
    package func setPassword(_ password: Secret, of id: User.ID) async throws {
        guard let user = try await users.credential(id: id)?.user else { throw IdentityError.notFound }
        let faults = rules.password.faults(of: password, field: "password", email: user.email, name: user.name)
        guard faults.isEmpty else { throw IdentityError.invalid(faults) }
        let hash = try await hashing { () async throws(PasswordHashingError) in try await passwords.hash(password) }
        try await finish(try await users.setPassword(hash, of: id, whilePassword: nil, keeping: nil, at: time.now()), id)
    }

    /// Every session of the user ends, and none begins until the user is enabled (CHECKLIST 5).
    package func disableUser(_ id: User.ID) async throws {
        try await finish(try await users.setDisabled(true, id, at: time.now()), id)
    }

    package func enableUser(_ id: User.ID) async throws {
        try await finish(try await users.setDisabled(false, id, at: time.now()), id)
    }

    /// Deletes the user and everything of theirs (CHECKLIST 5).
    package func deleteUser(_ id: User.ID) async throws {
        let ended = try await users.delete(id)
        // Who joined an organisation of the user may have become its owner.
        profiles.removeAll()
        await announce([.everything])
        guard let ended else { throw IdentityError.notFound }
        await forget(ended)
    }

    private func finish(_ ended: [EndedSession]?, _ id: User.ID) async throws {
        await forgetProfile(id)
        guard let ended else { throw IdentityError.notFound }
        await forget(ended)
    }
}
