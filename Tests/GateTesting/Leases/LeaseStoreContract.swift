package import GateCore
import Testing

/// What every ``LeaseStore`` must do.
package struct LeaseStoreContract: Sendable {
    private let store: any LeaseStore
    /// Lets the store's time pass, and that of the holders.
    private let pass: @Sendable (Duration) async throws -> Void
    private let time: any TimeSource

    package init(_ store: any LeaseStore, time: any TimeSource, pass: @escaping @Sendable (Duration) async throws -> Void) {
        self.store = store
        self.time = time
        self.pass = pass
    }

    private let ann: Instance.ID = Sample.id()
    private let ben: Instance.ID = Sample.id()

    package func run() async throws {
        try await isHeldByOne()
        try await endsByItself()
        try await isRenewed()
        try await isReleased()
        try await namesStandApart()
        try await workIsDoneByOne()
    }

    /// A second for what the database's own clock goes on meanwhile.
    private static let slack = Duration.seconds(1)

    private func granted(_ name: String, _ holder: Instance.ID, _ duration: Duration = .seconds(60)) async throws -> Lease {
        try #require(await store.acquire(name, by: holder, for: duration).lease)
    }

    private func isTaken(_ name: String, from holder: Instance.ID) async throws -> Duration? {
        guard case .taken(let other, let remaining) = try await store.acquire(name, by: holder, for: .seconds(60)) else { return nil }
        #expect(other != holder)
        return remaining
    }

    private func isHeldByOne() async throws {
        let asked = time.monotonic()
        let lease = try await granted("one", ann)
        #expect(lease.name == "one" && lease.holder == ann)
        #expect((asked...asked + .seconds(60) + Self.slack).contains(lease.end))
        let remaining = try #require(try await isTaken("one", from: ben))
        #expect((.seconds(60) - Self.slack ... .seconds(60)).contains(remaining))
        // Whoever has it may ask again: it is the same lease, from now on.
        try await pass(.seconds(30))
        let again = try await granted("one", ann)
        #expect(again.generation == lease.generation && again.end > lease.end)
        try await pass(.seconds(40))
        #expect(try await isTaken("one", from: ben) != nil)
    }

    private func endsByItself() async throws {
        let lease = try await granted("ending", ann)
        try await pass(.seconds(61))
        let next = try await granted("ending", ben)
        #expect(next.generation > lease.generation)
        #expect(try await store.renew(lease, for: .seconds(60)) == nil)
        try await store.release(lease)
        #expect(try await isTaken("ending", from: ann) != nil, "what is not held any more is not released")
        // Its own, when it had ended, is a new one: somebody may have held it between the two.
        try await pass(.seconds(61))
        #expect(try await store.renew(next, for: .seconds(60)) == nil)
        #expect(try await granted("ending", ben).generation > next.generation)
    }

    private func isRenewed() async throws {
        var lease = try await granted("renewed", ann)
        for _ in 0..<3 {
            try await pass(.seconds(40))
            let renewed = try #require(try await store.renew(lease, for: .seconds(60)))
            #expect(renewed.generation == lease.generation && renewed.end > lease.end)
            lease = renewed
            #expect(try await isTaken("renewed", from: ben) != nil)
        }
    }

    private func isReleased() async throws {
        let lease = try await granted("released", ann)
        try await store.release(lease)
        let next = try await granted("released", ben)
        #expect(next.generation > lease.generation)
        try await store.release(lease)
        #expect(try await isTaken("released", from: ann) != nil)
    }

    private func namesStandApart() async throws {
        let lease = try await granted("certificate a.example.com", ann)
        _ = try await granted("certificate b.example.com", ben)
        #expect(try await isTaken(lease.name, from: ben) != nil)
    }

    private func workIsDoneByOne() async throws {
        let instances = (0..<8).map { _ in Sample.id(Instance.self) }
        let store = store
        let holders = try await withThrowingTaskGroup(of: Instance.ID?.self) { group in
            for instance in instances {
                group.addTask { try await store.acquire("contended", by: instance, for: .seconds(60)).lease?.holder }
            }
            return try await group.reduce(into: [Instance.ID]()) { list, holder in if let holder { list.append(holder) } }
        }
        #expect(holders.count == 1)
        let other = try #require(instances.first { !holders.contains($0) })
        let refused = try await store.holding("contended", by: other, for: .seconds(60), time: time) { _ in 1 }
        guard case .notOurs(let by, _) = refused else {
            Issue.record("the work was done twice")
            return
        }
        #expect([by] == holders)
        let done = try await store.holding("free", by: other, for: .seconds(60), time: time) { $0.holder }
        guard case .done(let holder) = done else {
            Issue.record("the work was not done")
            return
        }
        #expect(holder == other)
        #expect(try await store.acquire("free", by: instances[0], for: .seconds(60)).lease != nil, "it was released")
    }
}
