import GateCore
import GateCrypto
import GateIdentity
import GateTesting
import Testing

@Suite("Signing in with a password", .onEachDatabase)
struct SignInTests {
    @Test("CHECKLIST 9: each sign-in is a session of its own, with an id the server made")
    func ownSession() async throws {
        try await IdentityFixture.with { fixture in
            let first = try await fixture.register()
            let second = try await fixture.signIn()
            #expect(first.session.id != second.session.id)
            #expect(try await fixture.identity.listSessions(of: first.profile.user.id).count == 2)
        }
    }

    @Test("CHECKLIST 20: an unknown address, a wrong password and junk are one error")
    func oneError() async throws {
        try await IdentityFixture.with { fixture in
            _ = try await fixture.register()
            _ = try await fixture.identity.addUser(email: "no-password@example.com", password: nil)
            let attempts = [
                ("ann@example.com", "wrong horse battery"), ("nobody@example.com", IdentityFixture.password),
                ("no-password@example.com", IdentityFixture.password), ("junk", IdentityFixture.password), ("ann@example.com", ""),
                ("ann@example.com", String(repeating: "x", count: 5000)),
            ]
            for (number, (email, password)) in attempts.enumerated() {
                let before = fixture.identity.passwords.statistics.completed
                await #expect(throws: IdentityError.invalidCredentials, "\(email)") {
                    try await fixture.signIn(email, password: password, network: "192.0.2.\(number)")
                }
                // The same time: each costs exactly one hash.
                #expect(fixture.identity.passwords.statistics.completed == before + 1, "\(email)")
            }
        }
    }

    @Test("CHECKLIST 5, 20: that an account is disabled is told to one who knows the password")
    func disabled() async throws {
        try await IdentityFixture.with { fixture in
            let signIn = try await fixture.register()
            try await fixture.identity.disableUser(signIn.profile.user.id)
            await #expect(throws: IdentityError.invalidCredentials) { try await fixture.signIn(password: "wrong horse battery") }
            await #expect(throws: IdentityError.accountDisabled) { try await fixture.signIn() }
            try await fixture.identity.enableUser(signIn.profile.user.id)
            _ = try await fixture.signIn()
        }
    }

    @Test("CHECKLIST 26: failures make the next attempt wait, for unknown users too; no other network waits, nor anybody for good")
    func backoff() async throws {
        try await IdentityFixture.with { fixture in
            _ = try await fixture.register()
            for email in ["ann@example.com", "nobody@example.com"] {
                for _ in 0..<5 {
                    await #expect(throws: IdentityError.invalidCredentials) { try await fixture.signIn(email, password: "wrong horse") }
                }
                await #expect(throws: IdentityError.waitBeforeNextAttempt(.seconds(30)), "\(email)") { try await fixture.signIn(email) }
            }
            // The owner, from elsewhere.
            _ = try await fixture.signIn(network: "198.51.100.7")
            fixture.time.advance(by: .milliseconds(29_999))
            await #expect(throws: IdentityError.waitBeforeNextAttempt(.milliseconds(1))) { try await fixture.signIn() }
            fixture.time.advance(by: .milliseconds(1))
            await #expect(throws: IdentityError.invalidCredentials) { try await fixture.signIn(password: "wrong horse") }
            await #expect(throws: IdentityError.waitBeforeNextAttempt(.seconds(60))) { try await fixture.signIn() }
            fixture.time.advance(by: .seconds(60))
            _ = try await fixture.signIn()
            // Success clears the count.
            await #expect(throws: IdentityError.invalidCredentials) { try await fixture.signIn(password: "wrong horse") }
            _ = try await fixture.signIn()
        }
    }

    @Test("CHECKLIST 52: nobody waits for a failure from before the clock was set back")
    func backoffAfterJump() async throws {
        try await IdentityFixture.with { fixture in
            _ = try await fixture.register()
            fixture.time.jumpWallClock(by: .seconds(3650 * 86_400))
            for _ in 0..<6 { _ = try? await fixture.signIn(password: "wrong horse") }
            fixture.time.jumpWallClock(by: .seconds(-3650 * 86_400))
            _ = try await fixture.signIn()
        }
    }

    @Test("CHECKLIST 24: long passwords work, and every byte counts", arguments: [64, 72, 73, 200, 1024])
    func longPassword(length: Int) async throws {
        try await IdentityFixture.with { fixture in
            let password = String((0..<length).map { "abcdefghijkmnpqrstuvwxyz23456789"[Int(Double($0 * $0) * 0.7) % 32] })
            _ = try await fixture.identity.addUser(email: "ann@example.com", password: Secret(password))
            _ = try await fixture.signIn(password: password)
            await #expect(throws: IdentityError.invalidCredentials) { try await fixture.signIn(password: password.dropLast() + "!") }
        }
    }

    @Test("a hash of another cost is renewed at the next sign-in")
    func rehash() async throws {
        try await IdentityFixture.with { fixture in
            let costly = PasswordHasher(cost: 5, threads: 1, queueLimit: 1, entropy: SeededEntropy())
            let user = Sample.user()
            let hash = try await costly.hash(Secret(IdentityFixture.password))
            await costly.shutdown()
            try #require(try await fixture.identity.users.insert(user, passwordHash: hash, organisation: nil, session: nil))
            _ = try await fixture.signIn()
            let renewed = try await fixture.identity.users.credential(id: user.id)?.passwordHash
            #expect(renewed?.text.hasPrefix("$2b$04$") == true)
            _ = try await fixture.signIn()
            #expect(try await fixture.identity.users.credential(id: user.id)?.passwordHash == renewed)
        }
    }

    @Test("CHECKLIST 6: a sign-in under way while the password is changed opens nothing with the old one")
    func race() async throws {
        try await IdentityFixture.with(stores: { stores in
            var stores = stores
            stores.users = PasswordChangedMeanwhile(users: stores.users, new: PasswordHash(text: "$2b$04$somethingelse"))
            return stores
        }) { fixture in
            let signIn = try await fixture.register()
            // The credential is read, and the password changed before it is checked.
            await #expect(throws: IdentityError.invalidCredentials) { try await fixture.signIn() }
            #expect(try await fixture.identity.listSessions(of: signIn.profile.user.id).isEmpty)
        }
    }

    @Test("a full queue of hashes is told, with when to come again")
    func overloaded() async throws {
        let hasher = PasswordHasher(cost: 13, threads: 1, queueLimit: 0, entropy: SeededEntropy())
        try await IdentityFixture.with(passwords: hasher) { fixture in
            async let first = hasher.hash(Secret("something that takes a while"))
            while hasher.statistics.running == 0 { await Task.yield() }
            // No address: the database is not asked, so the hash is waited for at once.
            await #expect {
                try await fixture.signIn("junk")
            } throws: {
                guard case .overloaded(let retryAfter) = $0 as? IdentityError else { return false }
                return retryAfter >= .seconds(1)
            }
            _ = try await first
        }
    }

    @Test("a hasher that is shut down is a failure, not a refusal")
    func closed() async throws {
        try await IdentityFixture.with { fixture in
            _ = try await fixture.register()
            await fixture.identity.passwords.shutdown()
            await #expect(throws: StorageError.closed) { try await fixture.signIn() }
        }
    }
}

extension String {
    fileprivate subscript(offset: Int) -> Character { self[index(startIndex, offsetBy: offset)] }
}
