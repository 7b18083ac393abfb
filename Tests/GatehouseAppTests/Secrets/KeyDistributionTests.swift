import GateCore
import GateTesting
import Synchronization
import Testing

@testable import GatehouseApp

@Suite("Keys for those who use them")
struct KeyDistributionTests {
    /// Shared by instances, may be away, and counts who reads.
    private final class Store: SecretsStore {
        private struct State {
            var stored: StoredSecrets
            var isAway = false
            var loads = 0
        }
        private let state: Mutex<State>

        let place = "test"
        let settling = Duration.seconds(2)

        init(_ secrets: Secrets) { state = Mutex(State(stored: StoredSecrets(secrets: secrets, version: SecretsVersion(text: "1")))) }

        var stored: StoredSecrets { state.withLock { $0.stored } }
        var loads: Int { state.withLock { $0.loads } }
        func set(isAway: Bool) { state.withLock { $0.isAway = isAway } }

        func load() async throws -> StoredSecrets? {
            try state.withLock { state in
                state.loads += 1
                if state.isAway { throw StorageError.unavailable(reason: "away") }
                return state.stored
            }
        }

        func replace(_ version: SecretsVersion?, by secrets: Secrets) async throws -> SecretsVersion? {
            state.withLock { state in
                guard state.stored.version == version else { return nil }
                state.stored = StoredSecrets(secrets: secrets, version: SecretsVersion(text: state.stored.version.text + "+"))
                return state.stored.version
            }
        }
    }

    @Test(
        "however many unknown tokens come, and whether the store answers or not, it is read once in 200 ms; new keys are with everyone who asked"
    )
    func flood() async throws {
        let (time, entropy, configuration) = (ManualTime(), SeededEntropy(seed: 71), Configuration())
        var first = Secrets.generate(at: time.now(), entropy: entropy)
        for algorithm in configuration.signingAlgorithms { _ = try first.ensureSigningKey(algorithm, at: time.now(), entropy: entropy) }
        let store = Store(first)
        let (here, there) = (
            ServerSecrets(store, store.stored, configuration, time: time), ServerSecrets(store, store.stored, configuration, time: time)
        )
        let keys = try KeyDistribution(configuration, here, time: time) { [time] in time.advance(by: $0) }
        let begun = time.monotonic()
        let loads = store.loads

        store.set(isAway: true)
        let failures = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    do { try await keys.refresh() } catch is StorageError { return true } catch { return false }
                    return false
                }
            }
            return await group.reduce(into: 0) { count, hasFailed in count += hasFailed ? 1 : 0 }
        }
        #expect(failures == 200)

        store.set(isAway: false)
        _ = try await there.rotate(at: time.now(), entropy: entropy)
        let rotated = store.stored.secrets.sessionKeys.current
        let rotations = store.loads
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    try await keys.refresh()
                    #expect(here.sessionKeys.previous.contains(rotated))
                }
            }
            try await group.waitForAll()
        }
        #expect(store.loads > rotations)
        #expect(store.loads - loads - 1 <= 1 + Int(time.monotonic().since(begun) / KeyDistribution.interval), "one was the rotation's")
    }
}
