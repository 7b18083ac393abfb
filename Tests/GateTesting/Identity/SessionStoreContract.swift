import GateCore
import GateCrypto
import GateIdentity
import Testing

/// What every ``SessionStore`` must do. The rules of the refresh family are ``RefreshFamily``'s; here is that the store keeps to them.
package enum SessionStoreContract {
    package static let cases: [ContractCase] = [
        ContractCase("a session is found whole while it lives") { stores async throws in
            let user = try await stores.addUser()
            let session = try await stores.addSession(of: user)
            #expect(try await stores.sessions.find(session.id, at: session.expiresAt - .milliseconds(1)) == session)
            #expect(try await stores.sessions.find(session.id, at: session.expiresAt) == nil)
            #expect(try await stores.sessions.find(Sample.id(), at: Sample.start) == nil)
        },
        ContractCase("without device and address") { stores async throws in
            let user = try await stores.addUser()
            var session = Sample.session(of: user.id)
            session.device = Device(userAgent: nil, address: nil)
            #expect(try await stores.sessions.insert(session, whilePassword: nil))
            #expect(try await stores.sessions.find(session.id, at: Sample.start) == session)
        },
        ContractCase("CHECKLIST 6: a password that is another by now opens no session, and changes no password") { stores async throws in
            let user = try await stores.addUser()
            let other = PasswordHash(text: "$2b$04$other")
            #expect(try await stores.sessions.insert(Sample.session(of: user.id), whilePassword: Sample.hash))
            #expect(try await !stores.sessions.insert(Sample.session(of: user.id), whilePassword: other))
            #expect(try await stores.sessions.list(user: user.id, at: Sample.start).count == 1)
            let now = Sample.start
            #expect(try await stores.users.setPassword(other, of: user.id, whilePassword: other, keeping: nil, at: now) == nil)
            #expect(try await stores.users.credential(id: user.id)?.passwordHash == Sample.hash)
            #expect(try await stores.users.setPassword(other, of: user.id, whilePassword: Sample.hash, keeping: nil, at: now)?.count == 1)
            #expect(try await stores.users.credential(id: user.id)?.passwordHash == other)
        },
        ContractCase("nobody has no session") { stores async throws in
            #expect(try await !stores.sessions.insert(Sample.session(of: Sample.id()), whilePassword: nil))
        },
        ContractCase("live sessions are listed, the last used first, of one user") { stores async throws in
            let user = try await stores.addUser()
            let other = try await stores.addUser("bob@example.com")
            let old = try await stores.addSession(of: user, at: Sample.start)
            let new = try await stores.addSession(of: user, at: Sample.start + .seconds(10))
            _ = try await stores.addSession(of: other)
            let now = Sample.start + .seconds(20)
            #expect(try await stores.sessions.list(user: user.id, at: now).map(\.id) == [new.id, old.id])
            try await stores.sessions.touch(old.id, at: now)
            #expect(try await stores.sessions.list(user: user.id, at: now).map(\.id) == [old.id, new.id])
            #expect(try await stores.sessions.find(old.id, at: now)?.lastUsedAt == now)
            #expect(try await stores.sessions.list(user: user.id, at: old.expiresAt).map(\.id) == [new.id])
        },
        ContractCase("a rotation is stored, with device and times") { stores async throws in
            let session = try await stores.addSession(of: stores.addUser())
            var rotation = use(session, generation: 0, after: .seconds(100))
            rotation.device = Device(userAgent: "other/2", address: "2001:db8::1")
            var expected = session
            expected.refreshGeneration = 1
            expected.device = rotation.device
            expected.lastUsedAt = rotation.now
            expected.accessExpiresAt = rotation.now + rotation.accessLifetime
            #expect(try await stores.sessions.rotate(rotation) == .rotated(expected))
            #expect(try await stores.sessions.find(session.id, at: rotation.now) == expected)
        },
        ContractCase("CHECKLIST 2: of many rotations of one token at once, one moves the family") { stores async throws in
            let session = try await stores.addSession(of: stores.addUser())
            let generations = try await withThrowingTaskGroup(of: Int64?.self) { group in
                for offset in 0..<16 {
                    group.addTask {
                        let rotation = use(session, generation: 0, after: .milliseconds(offset))
                        guard case .rotated(let rotated) = try await stores.sessions.rotate(rotation) else { return nil }
                        return rotated.refreshGeneration
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(generations == Array(repeating: 1, count: 16))
        },
        ContractCase("CHECKLIST 1: reuse after the grace time ends the session and records its revocation") { stores async throws in
            let session = try await stores.addSession(of: stores.addUser())
            guard case .rotated(let rotated) = try await stores.sessions.rotate(use(session, generation: 0, after: .zero)) else {
                Issue.record("not rotated")
                return
            }
            let again = try await stores.sessions.rotate(use(session, generation: 0, after: .milliseconds(10_001)))
            #expect(again == .reused(EndedSession(id: session.id, userID: session.userID, accessExpiresAt: rotated.accessExpiresAt)))
            #expect(try await stores.sessions.find(session.id, at: Sample.start) == nil)
            #expect(
                try await stores.revocations.load()
                    == [Revocation(subject: .session(session.id), expiresAt: rotated.accessExpiresAt)])
            #expect(try await stores.sessions.rotate(use(session, generation: 1, after: .seconds(11))) == .unknown)
        },
        ContractCase("the times of several uses are kept through the store") { stores async throws in
            let session = try await stores.addSession(of: stores.addUser())
            for generation in 0..<3 {
                let rotation = use(session, generation: Int64(generation), after: .seconds(4 * generation))
                guard case .rotated = try await stores.sessions.rotate(rotation) else {
                    Issue.record("generation \(generation) not rotated")
                    return
                }
            }
            // First used at 0 s, 4 s and 8 s: at 13 s the first is a reuse, the second is not.
            guard case .rotated(let found) = try await stores.sessions.rotate(use(session, generation: 1, after: .seconds(13))) else {
                Issue.record("generation 1 is within its grace time")
                return
            }
            #expect(found.refreshGeneration == 3)
            guard case .reused = try await stores.sessions.rotate(use(session, generation: 0, after: .seconds(13))) else {
                Issue.record("generation 0 is not")
                return
            }
        },
        ContractCase("an expired session, and one that is not there, rotate nothing") { stores async throws in
            let session = try await stores.addSession(of: stores.addUser())
            #expect(try await stores.sessions.rotate(use(session, generation: 0, after: .seconds(3600))) == .unknown)
            #expect(try await stores.sessions.rotate(use(Sample.session(of: Sample.id()), generation: 0, after: .zero)) == .unknown)
            #expect(try await stores.sessions.find(session.id, at: Sample.start) == session)
        },
        ContractCase("access is extended, up to the session's end, and nothing is rotated") { stores async throws in
            let session = try await stores.addSession(of: stores.addUser())
            let now = Sample.start + .seconds(60)
            var expected = session
            expected.accessExpiresAt = now + .seconds(600)
            expected.lastUsedAt = now
            #expect(try await stores.sessions.extendAccess(session.id, until: now + .seconds(600), at: now) == expected)
            #expect(try await stores.sessions.extendAccess(session.id, until: now + .seconds(10), at: now) == expected)
            expected.accessExpiresAt = session.expiresAt
            #expect(try await stores.sessions.extendAccess(session.id, until: now + .seconds(99_999), at: now) == expected)
            #expect(try await stores.sessions.find(session.id, at: now) == expected)
            #expect(try await stores.sessions.extendAccess(session.id, until: now, at: session.expiresAt) == nil)
        },
        ContractCase("the sessions selected end, and no others") { stores async throws in
            let user = try await stores.addUser()
            let other = try await stores.addUser("bob@example.com")
            let mine = [
                try await stores.addSession(of: user), try await stores.addSession(of: user), try await stores.addSession(of: user),
            ]
            let foreign = try await stores.addSession(of: other)
            #expect(try await stores.sessions.end(.own(foreign.id, of: user.id)).isEmpty)
            #expect(try await stores.sessions.end(.own(mine[0].id, of: user.id)).map(\.id) == [mine[0].id])
            #expect(try await stores.sessions.end(.own(mine[0].id, of: user.id)).isEmpty)
            #expect(try await stores.sessions.end(.others(than: mine[1].id, of: user.id)).map(\.id) == [mine[2].id])
            #expect(try await stores.sessions.end(.all(of: user.id)).map(\.id) == [mine[1].id])
            #expect(try await stores.sessions.find(foreign.id, at: Sample.start) != nil)
            #expect(try await stores.sessions.end(.one(foreign.id)).map(\.userID) == [other.id])
            let revoked = Set(try await stores.revocations.load().map(\.subject))
            #expect(revoked == Set((mine + [foreign]).map { Revocation.Subject.session($0.id) }))
        },
        ContractCase("expired sessions are deleted, the oldest first, no more than the limit at a time") { stores async throws in
            let user = try await stores.addUser()
            for number in 0..<5 { _ = try await stores.addSession(of: user, at: Sample.start + .seconds(number)) }
            let now = Sample.start + .seconds(3604)
            #expect(try await stores.sessions.prune(before: now, limit: 3) == 3)
            #expect(try await stores.sessions.prune(before: now, limit: 3) == 1)
            #expect(try await stores.sessions.prune(before: now, limit: 3) == 0)
            #expect(try await stores.sessions.list(user: user.id, at: Sample.start).count == 1)
        },
    ]

    /// With ten seconds of grace and five minutes of access.
    private static func use(_ session: Session, generation: Int64, after delay: Duration) -> RefreshRotation {
        RefreshRotation(
            session: session.id, generation: generation, device: session.device, now: Sample.start + delay, grace: .seconds(10),
            accessLifetime: .seconds(300))
    }
}
