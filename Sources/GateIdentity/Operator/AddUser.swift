package import GateCore
import GateCrypto

extension Identity {
    /// Adds a user whom the operator vouches for: the address counts as verified, and a closed registration is no obstacle.
    ///
    /// - Parameter password: `nil` for a user who cannot sign in until one is set.
    /// - Throws: `.invalid` with all faults of all fields, `.emailTaken`, `.overloaded`; `StorageError`.
    package func addUser(
        email: String, password: Secret?, name: String? = nil, organisationName: String? = nil
    ) async throws -> UserProfile {
        var account = try newAccount(email: email, password: password, name: name, organisationName: organisationName)
        account.user.isEmailVerified = true
        var hash: PasswordHash?
        if let password {
            hash = try await hashing { () async throws(PasswordHashingError) in try await passwords.hash(password) }
        }
        guard try await users.insert(account.user, passwordHash: hash, organisation: account.organisation, session: nil) else {
            throw IdentityError.emailTaken
        }
        return account.profile
    }
}
