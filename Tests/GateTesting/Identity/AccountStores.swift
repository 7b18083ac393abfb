package import GateCore
package import GateCrypto
package import GateIdentity
import Testing

/// One implementation of each port that accounts need, on one database.
package struct AccountStores: Sendable {
    package var users: any UserStore
    package var sessions: any SessionStore
    package var organisations: any OrganisationStore
    package var revocations: any RevocationStore
    package var loginFailures: any LoginFailureStore

    package init(
        users: any UserStore, sessions: any SessionStore, organisations: any OrganisationStore, revocations: any RevocationStore,
        loginFailures: any LoginFailureStore
    ) {
        self.users = users
        self.sessions = sessions
        self.organisations = organisations
        self.revocations = revocations
        self.loginFailures = loginFailures
    }
}

/// One demand of a port's contract, to be run on stores over an empty database.
package struct ContractCase: Sendable, CustomTestStringConvertible {
    package let name: String
    package let run: @Sendable (AccountStores) async throws -> Void

    package init(_ name: String, _ run: @escaping @Sendable (AccountStores) async throws -> Void) {
        self.name = name
        self.run = run
    }

    package var testDescription: String { name }
}

/// Users, sessions and organisations to store, alike but for what is said.
package enum Sample {
    package static let start = Timestamp(seconds: 1_795_132_800)
    private static let entropy = SeededEntropy(seed: 77)

    package static func id<Entity>(_: Entity.Type = Entity.self, at time: Timestamp = start) -> Identifier<Entity> {
        Identifier(at: time, entropy: entropy)
    }

    package static func user(_ email: String = "ann@example.com", at time: Timestamp = start) -> User {
        User(id: id(at: time), email: EmailAddress(email)!, name: "Ann", createdAt: time, updatedAt: time)
    }

    package static func organisation(_ name: String = "Analytical Engines", at time: Timestamp = start) -> Organisation {
        Organisation(id: id(at: time), name: name, createdAt: time)
    }

    /// Ends an hour after `time`; its access token after five minutes.
    package static func session(of user: User.ID, at time: Timestamp = start) -> Session {
        Session(
            id: id(at: time), userID: user, device: Device(userAgent: "test/1", address: "192.0.2.1"), createdAt: time, lastUsedAt: time,
            expiresAt: time + .seconds(3600), accessExpiresAt: time + .seconds(300))
    }

    package static let hash = PasswordHash(text: "$2b$04$abcdefghijklmnopqrstuuFZ0RCsWpVvQ6Fh4kTrzfMMyF1hPzDzC")
}

extension AccountStores {
    /// A stored user.
    package func addUser(
        _ email: String = "ann@example.com", organisation: Organisation? = nil, session: Session? = nil
    ) async throws -> User {
        let user = Sample.user(email)
        try #require(await users.insert(user, passwordHash: Sample.hash, organisation: organisation, session: session))
        return user
    }

    /// A stored session.
    package func addSession(of user: User, at time: Timestamp = Sample.start) async throws -> Session {
        let session = Sample.session(of: user.id, at: time)
        try #require(await sessions.insert(session, whilePassword: nil))
        return session
    }
}
