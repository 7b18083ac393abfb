import GateCore
import GateIdentity
import Testing

/// What every ``RevocationStore`` must do.
package enum RevocationStoreContract {
    package static let cases: [ContractCase] = [
        ContractCase("CHECKLIST 10: what was recorded is loaded, once, with the later end") { stores async throws in
            let token = Revocation(subject: .token(Sample.id()), expiresAt: Sample.start + .seconds(9))
            let session = Revocation(subject: .session(Sample.id()), expiresAt: Sample.start + .seconds(5))
            for revocation in [token, session, token] { try await stores.revocations.insert(revocation) }
            #expect(Set(try await stores.revocations.load()) == [token, session])
            try await stores.revocations.insert(Revocation(subject: token.subject, expiresAt: Sample.start))
            #expect(Set(try await stores.revocations.load()) == [token, session])
            let longer = Revocation(subject: token.subject, expiresAt: Sample.start + .seconds(20))
            try await stores.revocations.insert(longer)
            #expect(Set(try await stores.revocations.load()) == [longer, session])
        },
        ContractCase("one of several is found") { stores async throws in
            let token = Revocation(subject: .token(Sample.id()), expiresAt: Sample.start)
            let session = Revocation(subject: .session(Sample.id()), expiresAt: Sample.start)
            let unknown: [Revocation.Subject] = [.session(Sample.id()), .token(Sample.id())]
            for revocation in [token, session] { try await stores.revocations.insert(revocation) }
            #expect(try await stores.revocations.containsAny(of: unknown + [token.subject]))
            #expect(try await stores.revocations.containsAny(of: [session.subject] + unknown))
            #expect(try await !stores.revocations.containsAny(of: unknown))
            #expect(try await !stores.revocations.containsAny(of: []))
        },
        ContractCase("CHECKLIST 10: those that ended are pruned, and no others") { stores async throws in
            let now = Sample.start
            let ended = Revocation(subject: .token(Sample.id()), expiresAt: now - .milliseconds(1))
            let ending = Revocation(subject: .token(Sample.id()), expiresAt: now)
            for revocation in [ended, ending] { try await stores.revocations.insert(revocation) }
            #expect(try await stores.revocations.prune(before: now) == 1)
            #expect(try await stores.revocations.load() == [ending])
        },
    ]
}
