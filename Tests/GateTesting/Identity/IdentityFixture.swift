package import GateCore
package import GateCrypto
package import GateIdentity

/// The accounts over real stores on a database of their own, with a clock that is moved by hand and passwords at bcrypt's least cost.
package struct IdentityFixture: Sendable {
    package let identity: Identity
    package let time: ManualTime
    package let database: AccountDatabase
    package let keys: [Secret]

    package static let password = "correct horse battery"
    package static let device = Device(userAgent: "test/1", address: "192.0.2.1")
    package static let signingKey = SigningKeyFixture.make("key-1", seed: 11)

    private init(
        database: AccountDatabase, time: ManualTime, rules: IdentityRules, passwords: PasswordHasher?, stores: AccountStores?,
        changes: any ChangeFeed = SoleInstance(), refreshKeys: @escaping @Sendable () async throws -> Void = {},
        clock: (any TimeSource)? = nil
    ) {
        let stores = stores ?? database.stores
        let entropy = SeededEntropy(seed: 5)
        keys = [Secret(SeededEntropy(seed: 6).bytes(32))]
        self.database = database
        self.time = time
        identity = Identity(
            users: stores.users, sessions: stores.sessions, organisations: stores.organisations, revocationStore: stores.revocations,
            loginFailures: stores.loginFailures,
            passwords: passwords ?? PasswordHasher(cost: 4, threads: 2, queueLimit: 256, entropy: entropy),
            accessTokens: AccessTokenIssuer(
                issuer: "http://gate.test", audience: "http://gate.test", keys: SigningKeyRing(current: Self.signingKey)),
            accountHashKey: Secret([UInt8](repeating: 5, count: 32)), sessionTokens: SessionTokenIssuer(key: keys[0]),
            changes: changes, refreshKeys: refreshKeys, rules: rules, time: clock ?? time, entropy: entropy)
    }

    /// - Parameter stores: what to use in place of the database's own.
    package static func with<Result>(
        rules: IdentityRules = IdentityRules(), passwords: PasswordHasher? = nil,
        stores: (@Sendable (AccountStores) -> AccountStores)? = nil,
        _ body: (IdentityFixture) async throws -> Result
    ) async throws -> Result {
        let time = ManualTime()
        return try await AccountDatabase.with(time: time) { database in
            let fixture = IdentityFixture(
                database: database, time: time, rules: rules, passwords: passwords, stores: stores?(database.stores))
            do {
                let result = try await body(fixture)
                await fixture.identity.passwords.shutdown()
                return result
            } catch {
                await fixture.identity.passwords.shutdown()
                throw error
            }
        }
    }

    /// Another instance on the same database.
    /// - Parameters:
    ///   - refreshKeys: takes the keys that others have made.
    ///   - clock: in place of the one that is moved by hand.
    package func instance(
        changes: any ChangeFeed, stores: AccountStores? = nil,
        refreshKeys: @escaping @Sendable () async throws -> Void = {}, clock: (any TimeSource)? = nil
    ) async throws -> IdentityFixture {
        let fixture = IdentityFixture(
            database: database, time: time, rules: identity.rules, passwords: identity.passwords, stores: stores, changes: changes,
            refreshKeys: refreshKeys, clock: clock)
        try await fixture.identity.start()
        return fixture
    }

    /// A new process on the same database: nothing in memory but what `start` reads.
    package func restarted() async throws -> IdentityFixture {
        await identity.passwords.shutdown()
        let fixture = IdentityFixture(
            database: try await database.reopened(time: time), time: time, rules: identity.rules, passwords: nil, stores: nil)
        try await fixture.identity.start()
        return fixture
    }

    package func register(_ email: String = "ann@example.com", organisation: String? = nil) async throws -> SignIn {
        try await identity.register(
            RegistrationForm(
                email: email, password: Secret(Self.password), organisationName: organisation, device: Self.device))
    }

    package func signIn(
        _ email: String = "ann@example.com", password: String = password, network: String = "192.0.2.1"
    ) async throws -> SignIn {
        try await identity.signIn(email: email, password: Secret(password), device: Self.device, network: network)
    }

    package func refresh(_ signIn: SignIn) async throws -> SignIn {
        try await identity.refresh(token: signIn.refreshToken, device: Self.device)
    }

    /// Who the access token of a sign-in is of.
    package func principal(_ signIn: SignIn) throws(IdentityError) -> Principal {
        try identity.authenticate(bearer: signIn.accessToken.text)
    }
}

package enum SigningKeyFixture {
    package static func make(_ id: String, _ algorithm: SigningAlgorithm = .hs256, seed: UInt64) -> SigningKey {
        do {
            return try SigningKey.generate(algorithm, id: id, entropy: SeededEntropy(seed: seed))
        } catch {
            preconditionFailure("\(error)")
        }
    }
}

extension Secret {
    /// As a client sees it.
    package var text: String { String(decoding: exposed, as: UTF8.self) }
}
