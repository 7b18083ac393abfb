import GateCore
import GateHTTP
import GateIdentity
import GateTesting
import NIOHTTP1
import Testing

@testable import GateAccess

@Suite("An identity that is told again, or made anew")
struct AssertedIdentityTests {
    private static func told(_ gate: DoorFixture, _ field: (String, String), at door: Door) async throws -> AssertedIdentity {
        try #require(await gate.admit(.GET, "/", [field], at: door).admitted?.identity)
    }

    @Test("it serves a session at one door for its time, and is made anew behind that")
    func time() async throws {
        try await DoorFixture.with { gate in
            let ann = try await gate.accounts.register()
            let door = DoorFixture.door(.signedIn)
            for field in [ann.cookieField, ann.bearerField] {
                let first = try await Self.told(gate, field, at: door)
                gate.accounts.time.advance(by: AssertedIdentity.reuse - .milliseconds(1))
                #expect(try await Self.told(gate, field, at: door) === first)
                gate.accounts.time.advance(by: .milliseconds(1))
                #expect(try await Self.told(gate, field, at: door) !== first)
            }
        }
    }

    @Test("each door of a session has its own, also under one name")
    func doors() async throws {
        try await DoorFixture.with { gate in
            let ann = try await gate.accounts.register()
            let doors = [DoorFixture.door(.signedIn), DoorFixture.door(.optional)]
            let first = try await Self.told(gate, ann.cookieField, at: doors[0])
            let second = try await Self.told(gate, ann.cookieField, at: doors[1])
            #expect(first !== second)
            #expect(try await Self.told(gate, ann.cookieField, at: doors[0]) === first)
            #expect(try await Self.told(gate, ann.cookieField, at: doors[1]) === second)
            #expect(!first.holds(for: first.principal, at: doors[1], now: gate.accounts.time.now()))
        }
    }

    @Test("two tokens of one session in turn at one door: each is told of as itself")
    func tokens() async throws {
        try await DoorFixture.with { gate in
            let ann = try await gate.accounts.register()
            gate.accounts.time.advance(by: .seconds(10))
            let later = try await gate.accounts.refresh(ann)
            let door = DoorFixture.door(.signedIn)
            for _ in 0..<2 {
                for signIn in [ann, later] {
                    let principal = try gate.accounts.principal(signIn)
                    let told = try await Self.told(gate, signIn.bearerField, at: door)
                    #expect(told.principal.tokenID == principal.tokenID && told.principal.expiresAt == principal.expiresAt)
                }
            }
            #expect(try gate.accounts.principal(ann).tokenID != gate.accounts.principal(later).tokenID)
        }
    }

    /// What may change about somebody of whom an application was told.
    enum Change: CaseIterable {
        case email, verification, name, organisation, roles, end, token, session, user, method
    }

    private static func changed(_ old: Principal, _ change: Change?) throws -> Principal {
        Principal(
            userID: change == .user ? User.ID(high: old.userID.high, low: ~old.userID.low) : old.userID,
            sessionID: change == .session ? Session.ID(high: old.sessionID.high, low: ~old.sessionID.low) : old.sessionID,
            method: change == .method ? (old.method == .bearer ? .cookie : .bearer) : old.method,
            tokenID: change == .token ? AccessToken.ID(high: 1, low: 2) : old.tokenID,
            email: change == .email ? try #require(EmailAddress("new@example.com")) : old.email,
            isEmailVerified: (change == .verification) != old.isEmailVerified, name: change == .name ? "Ann" : old.name,
            organisationID: change == .organisation ? nil : old.organisationID, roles: change == .roles ? ["member"] : old.roles,
            expiresAt: change == .end ? old.expiresAt + .seconds(1) : old.expiresAt)
    }

    @Test("whatever changed about somebody, they are not told of as before; the name that a token does not say is no change")
    func changes() async throws {
        try await DoorFixture.with { gate in
            let ann = try await gate.accounts.register(organisation: "Engines")
            let door = DoorFixture.door(.signedIn)
            let now = gate.accounts.time.now()
            for field in [ann.cookieField, ann.bearerField] {
                let told = try await Self.told(gate, field, at: door)
                #expect(told.holds(for: try Self.changed(told.principal, nil), at: door, now: now))
                for change in Change.allCases {
                    let isTold = told.holds(for: try Self.changed(told.principal, change), at: door, now: now)
                    #expect(isTold == (change == .name && told.principal.method == .bearer), "\(change)")
                }
            }
        }
    }

    @Test("a changed role is told of at once, by another identity")
    func role() async throws {
        try await DoorFixture.with { gate in
            let ann = try await gate.accounts.register("ann@example.com", organisation: "Engines")
            let bob = try await gate.accounts.register("bob@example.com")
            let engines = try #require(ann.profile.memberships.first).organisation.id
            _ = try await gate.identity.addMember(bob.profile.user.id, as: .admin, to: engines)
            let door = DoorFixture.door(.signedIn)
            let first = try await Self.told(gate, bob.cookieField, at: door)
            try await gate.identity.changeRole(of: bob.profile.user.id, to: .member, in: engines, by: gate.accounts.principal(ann))
            let second = try await Self.told(gate, bob.cookieField, at: door)
            #expect(first !== second && first.principal.roles == ["admin"] && second.principal.roles == ["member"])
        }
    }
}
