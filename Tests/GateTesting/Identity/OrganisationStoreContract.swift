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
    ]
}
