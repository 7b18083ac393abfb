package import GateCore
import GateCrypto
import GateLimits

extension Identity {
    /// Opens a session for one who knows the password.
    ///
    /// An unknown address and a wrong password are told apart neither by the error nor by the time: for the former a hash of no
    /// password is checked. Failures are counted for both, by network and address, so that nobody is locked out by another's
    /// failures (CHECKLIST 20, 26).
    ///
    /// - Parameter network: the client's, as limits count it; see `IPAddress.limitedNetwork`.
    /// - Throws: `.invalidCredentials`, `.accountDisabled`, `.waitBeforeNextAttempt`, `.overloaded`; `StorageError`.
    package func signIn(email: String, password: Secret, device: Device, network: String) async throws -> SignIn {
        let address = EmailAddress(email)
        let failures = address.map { LoginFailureKey(network: network, account: accountHash($0)) }
        if let failures { try await checkBackoff(failures) }

        // No password is longer than the rules allow, and a megabyte need not be hashed to know it.
        let presented = password.count <= rules.password.maximumSize ? password : Secret("")
        // Again where the password was changed while it was checked: nobody changes it twice meanwhile.
        for _ in 0..<2 {
            var credential: UserCredential?
            if let address { credential = try await users.credential(email: address) }
            let isRight = try await hashing { () async throws(PasswordHashingError) in
                try await passwords.verify(presented, against: credential?.passwordHash)
            }
            guard isRight, let user = credential?.user, let hash = credential?.passwordHash else { break }
            guard user.disabledAt == nil else { throw IdentityError.accountDisabled }
            guard let signIn = try await openSession(of: user.id, whilePassword: hash, device: device) else { continue }
            if let failures { try await loginFailures.clear(failures) }
            if passwords.needsRehash(hash) {
                let renewed = try await hashing { () async throws(PasswordHashingError) in try await passwords.hash(password) }
                try await users.rehash(user.id, from: hash, to: renewed)
            }
            return signIn
        }
        if let failures {
            let now = time.now()
            _ = try await loginFailures.record(failures, at: now, forgettingBefore: now - rules.loginBackoff.memory)
        }
        throw IdentityError.invalidCredentials
    }

    /// - Returns: `nil` where the user was disabled or deleted, or the password changed, since it was checked.
    private func openSession(of user: User.ID, whilePassword hash: PasswordHash, device: Device) async throws -> SignIn? {
        let now = time.now()
        let session = newSession(of: user, device: device, at: now)
        guard try await sessions.insert(session, whilePassword: hash), let profile = try await profile(user) else { return nil }
        return try tokens(for: session, of: profile, generation: session.refreshGeneration, at: now)
    }

    private func checkBackoff(_ key: LoginFailureKey) async throws {
        let now = time.now()
        // A failure in the future is one from before the clock was set back: nobody waits ten years for that.
        guard let known = try await loginFailures.find(key), known.lastAt <= now else { return }
        if let wait = rules.loginBackoff.wait(failures: known.count, sinceLast: now - known.lastAt) {
            throw IdentityError.waitBeforeNextAttempt(wait)
        }
    }

    /// Turns the hasher's refusals into ours.
    func hashing<Result>(_ body: () async throws(PasswordHashingError) -> Result) async throws -> Result {
        do throws(PasswordHashingError) {
            return try await body()
        } catch {
            switch error {
            case .overloaded(let retryAfter): throw IdentityError.overloaded(retryAfter: retryAfter)
            case .closed: throw StorageError.closed
            }
        }
    }
}
