import GateCore
import GateIdentity
import GateTesting
import Testing

@Suite("The profile, and what the operator does to users", .onEachDatabase)
struct ProfileTests {
    @Test("name and avatar change apart, and are seen at once")
    func update() async throws {
        try await IdentityFixture.with { fixture in
            let signIn = try await fixture.register()
            let principal = try fixture.principal(signIn)
            #expect(fixture.identity.profileInPlace(of: principal) == nil)
            _ = try await fixture.identity.profile(of: principal)
            #expect(fixture.identity.profileInPlace(of: principal) == signIn.profile)
            let named = try await fixture.identity.updateProfile(principal, name: " Ann L. ", avatarURL: nil)
            #expect(named.user.name == "Ann L." && named.user.avatarURL == nil)
            #expect(fixture.identity.profileInPlace(of: principal) == named)
            let pictured = try await fixture.identity.updateProfile(
                principal, name: nil, avatarURL: "https://cdn.example.com:8443/a.png?s=1#x")
            #expect(pictured.user.name == "Ann L." && pictured.user.avatarURL == "https://cdn.example.com:8443/a.png?s=1#x")
            let emptied = try await fixture.identity.updateProfile(principal, name: .some(nil), avatarURL: .some(nil))
            #expect(emptied.user.name == nil && emptied.user.avatarURL == nil)
        }
    }

    @Test(
        "what is no https address is refused",
        arguments: [
            "http://example.com/a.png", "javascript:alert(1)", "https:evil", "//evil.com", "https://", "https://user:pw@example.com/",
            "https://exa mple.com/", "https://example.com/a\nb", "https://example.com/\"><script>", "https://example.com\\@evil.com/",
            "https://" + String(repeating: "a", count: 2048), "data:image/png;base64,AAAA", "https://:443/", "https://b\u{FC}cher.example/",
        ])
    func avatar(_ url: String) async throws {
        try await IdentityFixture.with { fixture in
            let principal = try fixture.principal(try await fixture.register())
            await #expect {
                try await fixture.identity.updateProfile(principal, name: nil, avatarURL: .some(url))
            } throws: {
                guard case .invalid(let faults) = $0 as? IdentityError else { return false }
                return faults.map(\.field) == ["avatar_url"]
            }
        }
    }

    @Test("the operator finds, lists, verifies and deletes users")
    func operate() async throws {
        try await IdentityFixture.with { fixture in
            let identity = fixture.identity
            let ann = try await fixture.register().profile.user
            fixture.time.advance(by: .seconds(1))
            let bob = try await identity.addUser(email: "bob@example.com", password: nil, name: "Bob").user
            #expect(try await identity.findUser("ANN@example.com").user == ann)
            #expect(try await identity.findUser(bob.id.description).user == bob)
            for wanted in ["nobody@example.com", "junk", "", Sample.id(User.self).description] {
                await #expect(throws: IdentityError.notFound) { try await identity.findUser(wanted) }
            }
            #expect(try await identity.listUsers().map(\.id) == [ann.id, bob.id])
            #expect(!ann.isEmailVerified)
            try await identity.markEmailVerified(ann.id)
            #expect(try await identity.findUser("ann@example.com").user.isEmailVerified)
            try await identity.setPassword(Secret("another fine password"), of: bob.id)
            _ = try await fixture.signIn("bob@example.com", password: "another fine password")
            try await identity.deleteUser(ann.id)
            #expect(try await identity.listUsers().map(\.id) == [bob.id])
            let gone: [@Sendable () async throws -> Void] = [
                { try await identity.deleteUser(ann.id) }, { try await identity.disableUser(ann.id) },
                { try await identity.enableUser(ann.id) }, { try await identity.markEmailVerified(ann.id) },
                { try await identity.setPassword(Secret("another fine password"), of: ann.id) },
            ]
            for call in gone { await #expect(throws: IdentityError.notFound) { try await call() } }
        }
    }
}
