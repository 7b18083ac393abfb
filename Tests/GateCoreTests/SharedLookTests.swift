import GateCore
import GateTesting
import Synchronization
import Testing

@Suite("A look that many share")
struct SharedLookTests {
    private struct Away: Error {}
    private final class Counter: Sendable { let count = Atomic(0) }

    private let time = ManualTime()
    private static let interval = Duration.milliseconds(200)

    private func look<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) -> SharedLook<Value> {
        SharedLook(every: Self.interval, time: time, sleep: { [time] in time.advance(by: $0) }, body)
    }

    @Test("however many ask, there is one look in the interval, also while all of them fail", arguments: [false, true])
    func bounded(fails: Bool) async {
        let looks = Counter()
        let shared = look {
            looks.count.add(1, ordering: .relaxed)
            if fails { throw Away() }
        }
        let begun = time.monotonic()
        for _ in 0..<10 {
            let failures = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<50 { group.addTask { (try? await shared.value()) == nil } }
                return await group.reduce(into: 0) { count, hasFailed in count += hasFailed ? 1 : 0 }
            }
            #expect(failures == (fails ? 50 : 0))
        }
        let count = looks.count.load(ordering: .relaxed)
        #expect(count >= 10 && count <= 1 + Int(time.monotonic().since(begun) / Self.interval))
    }

    @Test("an answer is never older than the question, and one look runs at a time")
    func fresh() async throws {
        let written = Counter()
        let running = Counter()
        let shared = look {
            #expect(running.count.add(1, ordering: .relaxed).newValue == 1)
            let value = written.count.load(ordering: .sequentiallyConsistent)
            await Task.yield()
            running.count.subtract(1, ordering: .relaxed)
            return value
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    let mine = written.count.add(1, ordering: .sequentiallyConsistent).newValue
                    let seen = try await shared.value()
                    #expect(seen >= mine)
                }
            }
            try await group.waitForAll()
        }
    }
}
