import GateCore
import GateCrypto
import GateIdentity
import Testing

/// What every ``UserStore`` must do.
package enum UserStoreContract {
    package static let cases: [ContractCase] = [
        ContractCase("a user is found by id and by address, whole") { stores async throws in
            var user = Sample.user()
            user.isEmailVerified = true
            user.avatarURL = "https://example.com/a.png"
            #expect(try await stores.users.insert(user, passwordHash: Sample.hash, organisation: nil, session: nil))
            #expect(try await stores.users.profile(user.id) == UserProfile(user: user, memberships: []))
            let byEmail = try await stores.users.credential(email: user.email)
            #expect(byEmail?.user == user)
            #expect(byEmail?.passwordHash == Sample.hash)
            let byID = try await stores.users.credential(id: user.id)
            #expect(byID?.user == user)
            #expect(byID?.passwordHash == Sample.hash)
        },
        ContractCase("who is not there is nil") { stores async throws in
            let nobody = Sample.user()
            #expect(try await stores.users.profile(nobody.id) == nil)
            #expect(try await stores.users.credential(email: nobody.email) == nil)
            #expect(try await stores.users.credential(id: nobody.id) == nil)
            #expect(try await stores.users.update(nobody.id, UserChanges(name: "x"), at: Sample.start) == nil)
            #expect(
                try await stores.users.setPassword(Sample.hash, of: nobody.id, whilePassword: nil, keeping: nil, at: Sample.start) == nil)
            #expect(try await stores.users.setDisabled(true, nobody.id, at: Sample.start) == nil)
            #expect(try await stores.users.delete(nobody.id) == nil)
        },
        ContractCase("a taken address is refused, and nothing of the attempt stays") { stores async throws in
            let first = try await stores.addUser()
            let second = Sample.user()
            let organisation = Sample.organisation()
            let session = Sample.session(of: second.id)
            #expect(try await !stores.users.insert(second, passwordHash: nil, organisation: organisation, session: session))
            #expect(try await stores.users.profile(second.id) == nil)
            #expect(try await stores.organisations.find(organisation.id) == nil)
            #expect(try await stores.sessions.find(session.id, at: Sample.start) == nil)
            #expect(try await stores.users.credential(email: first.email)?.user.id == first.id)
        },
        ContractCase("of many at once with one address, one gets it") { stores async throws in
            let taken = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        try await stores.users.insert(Sample.user(), passwordHash: nil, organisation: nil, session: nil)
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(taken == 1)
        },
        ContractCase("organisation and session are stored with the user, who owns the first") { stores async throws in
            let user = Sample.user()
            let organisation = Sample.organisation()
            let session = Sample.session(of: user.id)
            #expect(try await stores.users.insert(user, passwordHash: nil, organisation: organisation, session: session))
            let profile = try await stores.users.profile(user.id)
            #expect(profile?.memberships == [Membership(organisation: organisation, role: .owner)])
            #expect(try await stores.sessions.find(session.id, at: Sample.start) == session)
            #expect(try await stores.users.credential(id: user.id)?.passwordHash == nil)
        },
        ContractCase("memberships are listed oldest first") { stores async throws in
            let user = try await stores.addUser()
            var expected: [Organisation] = []
            for number in 0..<3 {
                let organisation = Sample.organisation("Number \(number)")
                let time = Sample.start + .seconds(10 * number)
                #expect(try await stores.organisations.insert(organisation, owner: user.id, at: time))
                expected.append(organisation)
            }
            #expect(try await stores.users.profile(user.id)?.memberships.map(\.organisation) == expected)
        },
        ContractCase("an update changes what is named, and the time") { stores async throws in
            let user = try await stores.addUser()
            let later = Sample.start + .seconds(60)
            var expected = user
            expected.avatarURL = "https://example.com/a.png"
            expected.updatedAt = later
            let changes = UserChanges(avatarURL: .some("https://example.com/a.png"))
            #expect(try await stores.users.update(user.id, changes, at: later) == expected)
            expected.name = nil
            expected.isEmailVerified = true
            let more = UserChanges(name: .some(nil), isEmailVerified: true)
            #expect(try await stores.users.update(user.id, more, at: later) == expected)
            #expect(try await stores.users.profile(user.id)?.user == expected)
        },
        ContractCase("CHECKLIST 6: a new password ends every session but the one kept") { stores async throws in
            let user = try await stores.addUser()
            let other = try await stores.addUser("bob@example.com")
            let kept = try await stores.addSession(of: user)
            let lost = try await stores.addSession(of: user)
            let foreign = try await stores.addSession(of: other)
            let hash = PasswordHash(text: "$2b$04$new")
            let ended = try await stores.users.setPassword(hash, of: user.id, whilePassword: nil, keeping: kept.id, at: Sample.start)
            #expect(ended == [EndedSession(id: lost.id, userID: user.id, accessExpiresAt: lost.accessExpiresAt)])
            #expect(try await stores.users.credential(id: user.id)?.passwordHash == hash)
            #expect(try await stores.sessions.find(kept.id, at: Sample.start) != nil)
            #expect(try await stores.sessions.find(lost.id, at: Sample.start) == nil)
            #expect(try await stores.sessions.find(foreign.id, at: Sample.start) != nil)
            #expect(
                try await stores.revocations.load() == [Revocation(subject: .session(lost.id), expiresAt: lost.accessExpiresAt)])
            #expect(
                try await stores.users.setPassword(hash, of: user.id, whilePassword: nil, keeping: nil, at: Sample.start)?.map(\.id) == [
                    kept.id
                ])
        },
        ContractCase("a hash is renewed only while it is the old one") { stores async throws in
            let user = try await stores.addUser()
            let new = PasswordHash(text: "$2b$05$new")
            try await stores.users.rehash(user.id, from: PasswordHash(text: "$2b$04$other"), to: new)
            #expect(try await stores.users.credential(id: user.id)?.passwordHash == Sample.hash)
            try await stores.users.rehash(user.id, from: Sample.hash, to: new)
            #expect(try await stores.users.credential(id: user.id)?.passwordHash == new)
        },
        ContractCase("CHECKLIST 5: who is disabled has no sessions, and gets none until enabled") { stores async throws in
            let user = try await stores.addUser()
            let sessions = [try await stores.addSession(of: user), try await stores.addSession(of: user)]
            let ended = try await stores.users.setDisabled(true, user.id, at: Sample.start + .seconds(5))
            #expect(Set(try #require(ended).map(\.id)) == Set(sessions.map(\.id)))
            #expect(Set(try await stores.revocations.load().map(\.subject)) == Set(sessions.map { .session($0.id) }))
            #expect(try await stores.users.profile(user.id)?.user.disabledAt == Sample.start + .seconds(5))
            #expect(try await stores.sessions.list(user: user.id, at: Sample.start).isEmpty)
            #expect(try await !stores.sessions.insert(Sample.session(of: user.id), whilePassword: nil))
            // Since when does not change by doing it twice.
            #expect(try await stores.users.setDisabled(true, user.id, at: Sample.start + .seconds(9)) == [])
            #expect(try await stores.users.profile(user.id)?.user.disabledAt == Sample.start + .seconds(5))
            #expect(try await stores.users.setDisabled(false, user.id, at: Sample.start + .seconds(10)) == [])
            #expect(try await stores.users.profile(user.id)?.user.disabledAt == nil)
            #expect(try await stores.sessions.insert(Sample.session(of: user.id), whilePassword: nil))
        },
        ContractCase("CHECKLIST 5: with a user goes everything of theirs, and organisations left empty") { stores async throws in
            let organisation = Sample.organisation()
            let user = try await stores.addUser(organisation: organisation)
            let session = try await stores.addSession(of: user)
            let ended = try await stores.users.delete(user.id)
            #expect(ended == [EndedSession(id: session.id, userID: user.id, accessExpiresAt: session.accessExpiresAt)])
            #expect(try await stores.users.profile(user.id) == nil)
            #expect(try await stores.sessions.find(session.id, at: Sample.start) == nil)
            #expect(try await stores.organisations.find(organisation.id) == nil)
            #expect(try await stores.revocations.load().map(\.subject) == [.session(session.id)])
            // The address is free again.
            _ = try await stores.addUser()
        },
        ContractCase("users are listed in the order of their creation, in pages") { stores async throws in
            var expected: [User.ID] = []
            for number in 0..<5 {
                let user = Sample.user("user\(number)@example.com", at: Sample.start + .seconds(number))
                #expect(try await stores.users.insert(user, passwordHash: nil, organisation: nil, session: nil))
                expected.append(user.id)
            }
            let first = try await stores.users.list(after: nil, limit: 3).map(\.id)
            #expect(first == Array(expected[..<3]))
            #expect(try await stores.users.list(after: first.last, limit: 3).map(\.id) == Array(expected[3...]))
            #expect(try await stores.users.list(after: nil, limit: 0).isEmpty)
        },
    ]
}
