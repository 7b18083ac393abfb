import GateCore
import GateLimits
import Testing

extension LimitStoreContract {
    package func listsWhatIsCounted() async throws {
        let store = try await store()
        let few = LimitPolicy(name: "few", limit: 4, window: .seconds(60))
        let many = LimitPolicy(name: "many", limit: 100, window: .seconds(30))
        #expect(try await store.list(policy: nil, limit: 10).isEmpty)
        for _ in 0..<3 { _ = try await store.decide([LimitQuestion(policy: few, subject: Self.network(1))]) }
        try await pass(.seconds(5))
        for _ in 0..<10 { _ = try await store.decide([LimitQuestion(policy: many, subject: .user(high: 7, low: 8))]) }
        _ = try await store.decide([LimitQuestion(policy: few, subject: .local)])

        let all = try await store.list(policy: nil, limit: 10)
        #expect(
            all == [
                LimitUsage(policy: few, subject: Self.network(1), used: 3, resetAfter: .seconds(55)),
                LimitUsage(policy: few, subject: .local, used: 1, resetAfter: .seconds(60)),
                LimitUsage(policy: many, subject: .user(high: 7, low: 8), used: 10, resetAfter: .seconds(30)),
            ], "the most used share first")
        #expect(try await store.list(policy: nil, limit: 2) == Array(all.prefix(2)))
        #expect(try await store.list(policy: "many", limit: 10) == Array(all.suffix(1)))
        #expect(try await store.list(policy: "unknown", limit: 10).isEmpty)
        #expect(try await store.list(policy: nil, limit: 0).isEmpty)

        try await pass(.seconds(30))
        #expect(try await store.list(policy: nil, limit: 10).map(\.subject) == [Self.network(1), .local], "what has expired is not listed")
    }

    package func clearsWhatIsSelected() async throws {
        let inside = IPNetwork(IPAddress(ipv4: 0x0A01_0203), prefix: 32)
        let outside = IPNetwork(IPAddress(ipv4: 0x0B01_0203), prefix: 32)
        let sixth = IPNetwork(IPAddress(high: 0x2001_0DB8_0000_0001, low: 0), prefix: 64)
        let subjects: [LimitSubject] = [
            .network(inside), .network(outside), .network(sixth), .networkAndAccount(inside, account: 5),
            .networkAndAccount(outside, account: 5), .networkAndAccount(outside, account: 6), .user(high: 1, low: 2), .local,
        ]
        let cases: [(LimitSelection, remaining: [LimitSubject], cleared: Int)] = [
            (.all, [], 8),
            (.policy("clear"), [], 8),
            (.policy("other"), subjects, 0),
            (
                .network(IPNetwork(IPAddress(ipv4: 0x0A00_0000), prefix: 8)),
                subjects.filter { $0 != .network(inside) && $0 != .networkAndAccount(inside, account: 5) }, 2
            ),
            (.network(inside), subjects.filter { $0 != .network(inside) && $0 != .networkAndAccount(inside, account: 5) }, 2),
            (
                .network(IPNetwork(IPAddress(high: 0x2001_0DB8_0000_0001, low: 9), prefix: 128)), subjects.filter { $0 != .network(sixth) },
                1
            ),
            (.user(high: 1, low: 2), subjects.filter { $0 != .user(high: 1, low: 2) }, 1),
            (.user(high: 2, low: 1), subjects, 0),
            (
                .account(5),
                subjects.filter { $0 != .networkAndAccount(inside, account: 5) && $0 != .networkAndAccount(outside, account: 5) }, 2
            ),
        ]
        let policy = LimitPolicy(name: "clear", limit: 1, window: .seconds(60))
        for (selection, remaining, cleared) in cases {
            let store = try await store()
            for subject in subjects { _ = try await store.decide([LimitQuestion(policy: policy, subject: subject)]) }
            #expect(try await store.clear(selection) == cleared, "\(selection)")
            #expect(Set(try await store.list(policy: nil, limit: 100).map(\.subject)) == Set(remaining), "\(selection)")
            #expect(try await store.clear(selection) == 0, "\(selection) again")
            for subject in subjects {
                let isAdmitted = try await store.decide([LimitQuestion(policy: policy, subject: subject)]).isAdmitted
                #expect(isAdmitted == !remaining.contains(subject), "\(selection) \(subject)")
            }
        }
    }
}
