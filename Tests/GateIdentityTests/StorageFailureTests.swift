import GateCore
import GateIdentity
import GateTesting
import Testing

@Suite("When the database fails")
struct StorageFailureTests {
    @Test("CHECKLIST 48: what is known goes on, what is not is a storage failure and never a refusal")
    func closed() async throws {
        try await IdentityFixture.with { fixture in
            let identity = fixture.identity
            let signIn = try await fixture.register()
            let unseen = try await fixture.signIn()
            let principal = try fixture.principal(signIn)
            _ = try await identity.authenticate(cookie: signIn.cookieToken.text)
            await fixture.database.close()

            _ = try fixture.principal(unseen)
            #expect(identity.authenticateInPlace(cookie: signIn.cookieToken.text) != nil)
            #expect(identity.profileInPlace(of: principal) != nil)
            let calls: [(String, @Sendable () async throws -> Void)] = [
                ("cookie", { _ = try await identity.authenticate(cookie: unseen.cookieToken.text) }),
                ("sign in", { _ = try await fixture.signIn() }),
                ("register", { _ = try await fixture.register("bob@example.com") }),
                ("refresh", { _ = try await fixture.refresh(signIn) }),
                ("refresh by cookie", { _ = try await identity.refresh(principal) }),
                ("sign out", { try await identity.signOut(principal) }),
                ("password", { try await identity.changePassword(principal, current: Secret("x"), new: Secret("another fine one")) }),
                ("profile", { _ = try await identity.updateProfile(principal, name: "x", avatarURL: nil) }),
                ("sessions", { _ = try await identity.listSessions(principal) }),
                ("disable", { try await identity.disableUser(principal.userID) }),
                ("organisation", { _ = try await identity.createOrganisation(name: "x", by: principal) }),
                ("start", { try await identity.start() }), ("prune", { _ = try await identity.prune() }),
            ]
            for (name, call) in calls {
                await #expect(throws: StorageError.self, "\(name)") { try await call() }
            }
            // A sign-out that failed has ended nothing.
            _ = try fixture.principal(signIn)
        }
    }
}
