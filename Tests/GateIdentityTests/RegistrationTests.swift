import GateCore
import GateIdentity
import GateTesting
import Testing

@Suite("Registration", .onEachDatabase)
struct RegistrationTests {
    @Test("gives an account, its organisation and a session at once")
    func whole() async throws {
        try await IdentityFixture.with { fixture in
            let signIn = try await fixture.identity.register(
                RegistrationForm(
                    email: " Ann@Example.COM ", password: Secret("correct horse battery"), name: "  Ann ", organisationName: "Engines",
                    device: IdentityFixture.device))
            #expect(signIn.profile.user.email.text == "ann@example.com")
            #expect(signIn.profile.user.name == "Ann")
            #expect(signIn.profile.memberships.map(\.organisation.name) == ["Engines"])
            #expect(signIn.accessExpiresIn == .seconds(900))
            #expect(signIn.refreshExpiresIn == .seconds(30 * 86_400))
            let principal = try fixture.principal(signIn)
            #expect(principal.userID == signIn.profile.user.id)
            #expect(principal.organisationID == signIn.profile.memberships[0].organisation.id)
            #expect(principal.roles == ["owner"])
            #expect(try await fixture.identity.profile(of: principal) == signIn.profile)
            _ = try await fixture.refresh(signIn)
        }
    }

    @Test("CHECKLIST 25: an address is taken in every spelling")
    func taken() async throws {
        try await IdentityFixture.with { fixture in
            _ = try await fixture.register("ann@example.com")
            for spelling in ["ann@example.com", "ANN@example.com", "Ann@EXAMPLE.com", " ann@example.com "] {
                await #expect(throws: IdentityError.emailTaken) { try await fixture.register(spelling) }
            }
        }
    }

    @Test("all faults of all fields are told together")
    func faults() async throws {
        try await IdentityFixture.with { fixture in
            let form = RegistrationForm(
                email: "nobody", password: Secret("aaaa"), name: "a\nb", organisationName: String(repeating: "x", count: 101),
                device: IdentityFixture.device)
            await #expect {
                try await fixture.identity.register(form)
            } throws: { error in
                guard case .invalid(let faults) = error as? IdentityError else { return false }
                return faults.map { "\($0.field) \($0.code)" } == [
                    "email invalid_email", "password too_short", "password too_simple", "name control_character", "org_name too_long",
                ]
            }
        }
    }

    @Test("is refused where it is closed, or by invitation", arguments: [IdentityRules.Registration.closed, .invite])
    func closed(_ registration: IdentityRules.Registration) async throws {
        var rules = IdentityRules()
        rules.registration = registration
        try await IdentityFixture.with(rules: rules) { fixture in
            await #expect(throws: IdentityError.registrationClosed) { try await fixture.register() }
            // The operator still adds users, whose addresses count as verified.
            let profile = try await fixture.identity.addUser(email: "ann@example.com", password: Secret(IdentityFixture.password))
            #expect(profile.user.isEmailVerified)
            _ = try await fixture.signIn()
        }
    }

    @Test("CHECKLIST 43: nothing of a sign-in that must stay secret is printed")
    func redacted() async throws {
        try await IdentityFixture.with { fixture in
            let signIn = try await fixture.register()
            var dumped = ""
            dump(signIn, to: &dumped)
            for text in ["\(signIn)", String(reflecting: signIn), dumped] {
                for secret in [signIn.accessToken, signIn.refreshToken, signIn.cookieToken] { #expect(!text.contains(secret.text)) }
                #expect(text.contains("<redacted>"))
            }
        }
    }
}
