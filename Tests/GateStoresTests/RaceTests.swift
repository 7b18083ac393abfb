import GateCore
import GateCrypto
import GateIdentity
import GateTesting
import Testing

/// What only goes wrong where two write at the same moment, as they do on Postgres: each is tried many times, on two instances where there
/// can be two.
@Suite("At the same moment, on two instances", .onEachDatabase)
struct RaceTests {
    private static let rounds = 20

    private func onTwoInstances(_ body: (AccountStores, AccountStores) async throws -> Void) async throws {
        try await AccountDatabase.with { accounts in
            let other = try await accounts.opened(time: SystemTime())
            do {
                try await body(accounts.stores, other?.stores ?? accounts.stores)
                await other?.close()
            } catch {
                await other?.close()
                throw error
            }
        }
    }

    @Test("CHECKLIST 5: a sign-in and a disabling leave no session of one who is disabled")
    func disabling() async throws {
        try await onTwoInstances { one, other in
            for round in 0..<Self.rounds {
                let user = try await one.addUser("user\(round)@example.com")
                async let opened = one.sessions.insert(Sample.session(of: user.id), whilePassword: Sample.hash)
                async let ended = other.users.setDisabled(true, user.id, at: Sample.start)
                let (isOpen, endings) = (try await opened, try await ended)
                #expect(try await one.sessions.list(user: user.id, at: Sample.start).isEmpty)
                #expect((endings?.count ?? 0) == (isOpen ? 1 : 0), "a session that was opened is one of those that were ended")
            }
        }
    }

    @Test("CHECKLIST 6: a sign-in with the old password and its change leave no session of the old password")
    func passwordChange() async throws {
        try await onTwoInstances { one, other in
            for round in 0..<Self.rounds {
                let user = try await one.addUser("user\(round)@example.com")
                async let opened = one.sessions.insert(Sample.session(of: user.id), whilePassword: Sample.hash)
                async let changed = other.users.setPassword(
                    .init(text: "$2b$04$other"), of: user.id, whilePassword: Sample.hash, keeping: nil, at: Sample.start)
                _ = (try await opened, try await changed)
                #expect(try await one.sessions.list(user: user.id, at: Sample.start).isEmpty)
            }
        }
    }

    @Test("of two owners who leave, one stays")
    func lastOwner() async throws {
        try await onTwoInstances { one, other in
            for round in 0..<Self.rounds {
                let organisation = Sample.organisation()
                let first = try await one.addUser("first\(round)@example.com", organisation: organisation)
                let second = try await one.addUser("second\(round)@example.com")
                try #require(await one.organisations.insertMember(second.id, as: .owner, in: organisation.id, at: Sample.start))
                async let leaving = one.organisations.removeMember(first.id, from: organisation.id, as: .owner)
                async let demoted = other.organisations.setRole(.member, of: second.id, in: organisation.id, from: .owner)
                let changes = [try await leaving, try await demoted]
                #expect(Set(changes) == [.done, .lastOwner])
                #expect(try await one.organisations.members(of: organisation.id).contains { $0.role == .owner })
            }
        }
    }

    @Test("one address is registered once")
    func registration() async throws {
        try await onTwoInstances { one, other in
            for round in 0..<Self.rounds {
                let added = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for index in 0..<6 {
                        group.addTask {
                            let user = Sample.user("user\(round)@example.com")
                            return try await (index.isMultiple(of: 2) ? one : other).users.insert(
                                user, passwordHash: Sample.hash, organisation: Sample.organisation(), session: Sample.session(of: user.id))
                        }
                    }
                    return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
                }
                #expect(added == 1)
            }
        }
    }

    @Test("CHECKLIST 26: no failed log-in is left uncounted")
    func failures() async throws {
        try await onTwoInstances { one, other in
            let key = LoginFailureKey(network: "192.0.2.1", account: 7)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<40 {
                    group.addTask {
                        _ = try await (index.isMultiple(of: 2) ? one : other).loginFailures.record(
                            key, at: Sample.start, forgettingBefore: Sample.start)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await one.loginFailures.find(key)?.count == 40)
        }
    }

    @Test("CHECKLIST 2: refreshes of one token by several instances give one successor")
    func refreshing() async throws {
        try await onTwoInstances { one, other in
            for round in 0..<Self.rounds {
                let user = try await one.addUser("user\(round)@example.com")
                let session = try await one.addSession(of: user)
                let rotation = RefreshRotation(
                    session: session.id, generation: 0, device: session.device, now: Sample.start + .seconds(1), grace: .seconds(10),
                    accessLifetime: .seconds(300))
                let generations = try await withThrowingTaskGroup(of: Int64?.self) { group in
                    for index in 0..<8 {
                        group.addTask {
                            guard case .rotated(let session) = try await (index.isMultiple(of: 2) ? one : other).sessions.rotate(rotation)
                            else { return nil }
                            return session.refreshGeneration
                        }
                    }
                    return try await group.reduce(into: [Int64?]()) { $0.append($1) }
                }
                #expect(generations.count == 8 && Set(generations) == [1])
            }
        }
    }
}
