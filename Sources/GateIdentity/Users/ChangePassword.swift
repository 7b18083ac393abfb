package import GateCore
import GateCrypto

extension Identity {
    /// Sets another password for one who knows the current one. Every other session of the user ends (CHECKLIST 6).
    ///
    /// - Throws: `.invalid` with one entry per unmet requirement of `new_password`, `.invalidCredentials` where the current password
    ///   is another, `.overloaded`, `.notAuthenticated`; `StorageError`.
    package func changePassword(_ principal: Principal, current: Secret, new: Secret) async throws {
        guard let credential = try await users.credential(id: principal.userID) else { throw IdentityError.notAuthenticated }
        let faults = rules.password.faults(of: new, field: "new_password", email: credential.user.email, name: credential.user.name)
        guard faults.isEmpty else { throw IdentityError.invalid(faults) }
        let presented = current.count <= rules.password.maximumSize ? current : Secret("")
        let isRight = try await hashing { () async throws(PasswordHashingError) in
            try await passwords.verify(presented, against: credential.passwordHash)
        }
        guard isRight else { throw IdentityError.invalidCredentials }
        let hash = try await hashing { () async throws(PasswordHashingError) in try await passwords.hash(new) }
        let ended = try await users.setPassword(
            hash, of: principal.userID, whilePassword: credential.passwordHash, keeping: principal.sessionID, at: time.now())
        guard let ended else { throw IdentityError.invalidCredentials }
        await forget(ended)
    }
}
