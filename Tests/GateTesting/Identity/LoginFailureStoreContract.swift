import GateCore
import GateIdentity
import Testing

/// What every ``LoginFailureStore`` must do.
package enum LoginFailureStoreContract {
    package static let cases: [ContractCase] = [
        ContractCase("failures are counted by network and account") { stores async throws in
            let key = LoginFailureKey(network: "192.0.2.1", account: .max)
            let before = try await stores.loginFailures.find(key)
            #expect(before == nil)
            for count in 1...3 {
                let now = Sample.start + .seconds(count)
                let expected = LoginFailures(count: count, lastAt: now)
                #expect(try await stores.loginFailures.record(key, at: now, forgettingBefore: Sample.start) == expected)
                #expect(try await stores.loginFailures.find(key) == expected)
            }
            #expect(try await stores.loginFailures.find(LoginFailureKey(network: "192.0.2.2", account: .max)) == nil)
            #expect(try await stores.loginFailures.find(LoginFailureKey(network: "192.0.2.1", account: 0)) == nil)
        },
        ContractCase("the count starts anew after the horizon, and after success") { stores async throws in
            let key = LoginFailureKey(network: "2001:db8::/64", account: 7)
            for _ in 0..<2 { _ = try await stores.loginFailures.record(key, at: Sample.start, forgettingBefore: Sample.start) }
            #expect(try await stores.loginFailures.find(key)?.count == 2)
            let later = Sample.start + .seconds(10)
            #expect(try await stores.loginFailures.record(key, at: later, forgettingBefore: later).count == 1)
            try await stores.loginFailures.clear(key)
            #expect(try await stores.loginFailures.find(key) == nil)
            try await stores.loginFailures.clear(key)
        },
        ContractCase("none of many at once is lost") { stores async throws in
            let key = LoginFailureKey(network: "192.0.2.1", account: 1)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        _ = try await stores.loginFailures.record(key, at: Sample.start, forgettingBefore: Sample.start)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await stores.loginFailures.find(key)?.count == 16)
        },
        ContractCase("old ones are pruned") { stores async throws in
            let old = LoginFailureKey(network: "192.0.2.1", account: 1)
            let new = LoginFailureKey(network: "192.0.2.1", account: 2)
            _ = try await stores.loginFailures.record(old, at: Sample.start - .milliseconds(1), forgettingBefore: Sample.start)
            _ = try await stores.loginFailures.record(new, at: Sample.start, forgettingBefore: Sample.start)
            #expect(try await stores.loginFailures.prune(before: Sample.start) == 1)
            #expect(try await stores.loginFailures.find(old) == nil)
            #expect(try await stores.loginFailures.find(new) != nil)
        },
    ]
}
