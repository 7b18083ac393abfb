import GateCore
import GateIdentity
import GateTesting
import Testing

@Suite("Organisations", .onEachDatabase)
struct OrganisationTests {
    private struct Cast {
        var organisation: Organisation.ID
        /// By role, and one who is no member.
        var principals: [Role: Principal]
        var stranger: Principal
    }

    private func cast(_ fixture: IdentityFixture) async throws -> Cast {
        let owner = try await fixture.register("owner@example.com", organisation: "Engines")
        let organisation = try #require(owner.profile.memberships.first).organisation.id
        var principals = [Role.owner: try fixture.principal(owner)]
        for role in [Role.admin, .member] {
            fixture.time.advance(by: .seconds(1))
            let signIn = try await fixture.register("\(role)@example.com")
            try await fixture.identity.addMember(signIn.profile.user.id, as: role, to: organisation)
            principals[role] = try fixture.principal(signIn)
        }
        let stranger = try fixture.principal(try await fixture.register("stranger@example.com"))
        return Cast(organisation: organisation, principals: principals, stranger: stranger)
    }

    @Test("are made, listed and read by their members, and not found by others")
    func read() async throws {
        try await IdentityFixture.with { fixture in
            let identity = fixture.identity
            let cast = try await cast(fixture)
            for (role, principal) in cast.principals {
                #expect(try await identity.organisation(cast.organisation, for: principal).role == role)
                #expect(try await identity.members(of: cast.organisation, for: principal).map(\.role) == [.owner, .admin, .member])
                #expect(try await identity.listOrganisations(principal).map(\.role) == [role])
            }
            await #expect(throws: IdentityError.notFound) { try await identity.organisation(cast.organisation, for: cast.stranger) }
            await #expect(throws: IdentityError.notFound) { try await identity.members(of: cast.organisation, for: cast.stranger) }
            #expect(try await identity.listOrganisations(cast.stranger).isEmpty)
            let made = try await identity.createOrganisation(name: " New ", by: cast.stranger)
            #expect(try await identity.listOrganisations(cast.stranger) == [made])
            #expect(made.organisation.name == "New" && made.role == .owner)
            for name in ["", "  ", "a\u{202E}b"] {
                await #expect(throws: IdentityError.self) { try await identity.createOrganisation(name: name, by: cast.stranger) }
            }
        }
    }

    @Test(
        "an owner may do everything, an admin what concerns no owner, a member nothing",
        arguments: [
            (Role.owner, Role.admin, Role.owner, nil), (.owner, .member, .admin, nil), (.owner, .owner, .member, .lastOwner),
            (.admin, .member, .admin, nil), (.admin, .admin, .member, nil), (.admin, .member, .owner, .forbidden),
            (.admin, .owner, .member, .forbidden), (.member, .member, .admin, .forbidden), (.member, .admin, .member, .forbidden),
        ] as [(Role, Role, Role, IdentityError?)])
    func changeRole(actor: Role, target: Role, new: Role, error: IdentityError?) async throws {
        try await IdentityFixture.with { fixture in
            let cast = try await cast(fixture)
            let (actorPrincipal, targetPrincipal) = (try #require(cast.principals[actor]), try #require(cast.principals[target]))
            let change = {
                try await fixture.identity.changeRole(
                    of: targetPrincipal.userID, to: new, in: cast.organisation, by: actorPrincipal)
            }
            if let error { await #expect(throws: error) { try await change() } } else { try await change() }
            let after = try await fixture.identity.listOrganisations(targetPrincipal).map(\.role)
            #expect(after == [error == nil ? new : target])
        }
    }

    @Test(
        "members may go, and be sent away by those above them; the last owner stays",
        arguments: [
            (Role.owner, Role.admin, nil), (.owner, .member, nil), (.owner, .owner, .lastOwner), (.admin, .member, nil),
            (.admin, .owner, .forbidden), (.admin, .admin, nil), (.member, .member, nil), (.member, .admin, .forbidden),
        ] as [(Role, Role, IdentityError?)])
    func remove(actor: Role, target: Role, error: IdentityError?) async throws {
        try await IdentityFixture.with { fixture in
            let cast = try await cast(fixture)
            let (actorPrincipal, targetPrincipal) = (try #require(cast.principals[actor]), try #require(cast.principals[target]))
            let removal = {
                try await fixture.identity.removeMember(targetPrincipal.userID, from: cast.organisation, by: actorPrincipal)
            }
            if let error { await #expect(throws: error) { try await removal() } } else { try await removal() }
            #expect(try await fixture.identity.listOrganisations(targetPrincipal).isEmpty == (error == nil))
        }
    }

    @Test("strangers change nothing, and learn nothing")
    func strangers() async throws {
        try await IdentityFixture.with { fixture in
            let cast = try await cast(fixture)
            let member = try #require(cast.principals[.member])
            let owner = try #require(cast.principals[.owner])
            await #expect(throws: IdentityError.notFound) {
                try await fixture.identity.changeRole(of: member.userID, to: .owner, in: cast.organisation, by: cast.stranger)
            }
            await #expect(throws: IdentityError.notFound) {
                try await fixture.identity.removeMember(cast.stranger.userID, from: cast.organisation, by: owner)
            }
        }
    }
}
