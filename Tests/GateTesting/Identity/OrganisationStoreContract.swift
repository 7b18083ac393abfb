import GateCore
import GateIdentity
import Testing

/// What every ``OrganisationStore`` must do.
package enum OrganisationStoreContract {
    package static let cases: [ContractCase] = [
        ContractCase("an organisation is found, with its first owner") { stores async throws in
            let user = try await stores.addUser()
            let organisation = Sample.organisation()
            let later = Sample.start + .seconds(3)
            #expect(try await stores.organisations.insert(organisation, owner: user.id, at: later))
            #expect(try await stores.organisations.find(organisation.id) == organisation)
            #expect(try await stores.organisations.role(of: user.id, in: organisation.id) == .owner)
            #expect(try await stores.organisations.members(of: organisation.id) == [Member(user: user, role: .owner, joinedAt: later)])
        },
        ContractCase("what is not there is nil, and nobody owns nothing") { stores async throws in
            let user = try await stores.addUser()
            let organisation = Sample.organisation()
            #expect(try await stores.organisations.find(organisation.id) == nil)
            #expect(try await stores.organisations.role(of: user.id, in: organisation.id) == nil)
            #expect(try await stores.organisations.members(of: organisation.id).isEmpty)
            #expect(try await !stores.organisations.insert(organisation, owner: Sample.id(), at: Sample.start))
            #expect(try await stores.organisations.find(organisation.id) == nil)
        },
        ContractCase("the last owner stays one, and stays") { stores async throws in
            let organisation = Sample.organisation()
            let user = try await stores.addUser(organisation: organisation)
            #expect(try await stores.organisations.setRole(.member, of: user.id, in: organisation.id, from: .owner) == .lastOwner)
            #expect(try await stores.organisations.removeMember(user.id, from: organisation.id, as: .owner) == .lastOwner)
            #expect(try await stores.organisations.setRole(.owner, of: user.id, in: organisation.id, from: .owner) == .done)
            #expect(try await stores.organisations.role(of: user.id, in: organisation.id) == .owner)
        },
        ContractCase("who is no member, or has another role by now, is not changed") { stores async throws in
            let organisation = Sample.organisation()
            let user = try await stores.addUser(organisation: organisation)
            let stranger = try await stores.addUser("bob@example.com")
            #expect(try await stores.organisations.setRole(.admin, of: stranger.id, in: organisation.id, from: .member) == .notMember)
            #expect(try await stores.organisations.removeMember(stranger.id, from: organisation.id, as: .member) == .notMember)
            #expect(try await stores.organisations.setRole(.member, of: user.id, in: organisation.id, from: .admin) == .notMember)
            #expect(try await stores.organisations.removeMember(user.id, from: organisation.id, as: .member) == .notMember)
            #expect(try await stores.organisations.role(of: user.id, in: organisation.id) == .owner)
        },
        ContractCase("members are listed in the order of their joining, and are so once") { stores async throws in
            let organisation = Sample.organisation()
            let owner = try await stores.addUser(organisation: organisation)
            let second = try await stores.addUser("bob@example.com")
            let third = try await stores.addUser("cat@example.com")
            for (user, seconds) in [(third, 1), (second, 2)] {
                let time = Sample.start + .seconds(seconds)
                #expect(try await stores.organisations.insertMember(user.id, as: .member, in: organisation.id, at: time))
            }
            #expect(try await !stores.organisations.insertMember(third.id, as: .owner, in: organisation.id, at: Sample.start))
            #expect(try await !stores.organisations.insertMember(Sample.id(), as: .member, in: organisation.id, at: Sample.start))
            #expect(try await !stores.organisations.insertMember(owner.id, as: .member, in: Sample.id(), at: Sample.start))
            let members = try await stores.organisations.members(of: organisation.id)
            #expect(members.map(\.user.id) == [owner.id, third.id, second.id])
            #expect(members.map(\.role) == [.owner, .member, .member])
            let profile = try await stores.users.profile(second.id)
            #expect(profile?.memberships == [Membership(organisation: organisation, role: .member)])
        },
        ContractCase("with two owners, either may go, and not both at once") { stores async throws in
            let organisation = Sample.organisation()
            let owners = [try await stores.addUser(organisation: organisation), try await stores.addUser("bob@example.com")]
            #expect(try await stores.organisations.insertMember(owners[1].id, as: .owner, in: organisation.id, at: Sample.start))
            let changes = try await withThrowingTaskGroup(of: MembershipChange.self) { group in
                for owner in owners {
                    group.addTask { try await stores.organisations.removeMember(owner.id, from: organisation.id, as: .owner) }
                }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(changes == [.done, .lastOwner])
            #expect(try await stores.organisations.members(of: organisation.id).count == 1)
        },
        ContractCase("an organisation whose owner is deleted goes to the admin who joined first, else to a member") { stores async throws in
            let organisation = Sample.organisation()
            let owner = try await stores.addUser(organisation: organisation)
            var others: [User] = []
            for (number, role) in [Role.member, .admin, .admin].enumerated() {
                let user = try await stores.addUser("other\(number)@example.com")
                let time = Sample.start + .seconds(number)
                #expect(try await stores.organisations.insertMember(user.id, as: role, in: organisation.id, at: time))
                others.append(user)
            }
            _ = try await stores.users.delete(owner.id)
            #expect(try await stores.organisations.members(of: organisation.id).map(\.role) == [.member, .owner, .admin])
            for admin in others[1...] { _ = try await stores.users.delete(admin.id) }
            #expect(try await stores.organisations.members(of: organisation.id).map(\.role) == [.owner])
            _ = try await stores.users.delete(others[0].id)
            #expect(try await stores.organisations.find(organisation.id) == nil)
        },
    ]
}
