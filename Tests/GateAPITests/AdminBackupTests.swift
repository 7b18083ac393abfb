import GateAPI
import GateCore
import NIOHTTP1
import Synchronization
import Testing

/// Backups as the admin calls see them, made up.
final class ScriptedBackups: BackupOperations {
    private let state = Mutex((orders: [BackupOrder](), discarded: [String]()))

    var orders: [BackupOrder] { state.withLock { $0.orders } }
    var discarded: [String] { state.withLock { $0.discarded } }

    func make(_ order: BackupOrder) async -> JSON {
        state.withLock { $0.orders.append(order) }
        return ["file": "/backups/one"]
    }

    func list() async -> JSON { ["backups": ["one"]] }

    func discard(staged name: String) async { state.withLock { $0.discarded.append(name) } }
}

@Suite struct AdminBackupTests {
    @Test("An order says what is wanted; what it leaves out is the configuration's to say")
    func orders() async throws {
        let harness = try await APIHarness()
        let plain = await harness.operate(.POST, "/admin/backups", [:])
        #expect(plain.status == 200 && plain.json?["file"] == "/backups/one")
        _ = await harness.operate(
            .POST, "/admin/backups",
            ["scheduled": "true", "staged": "true", "include_secrets": "true", "recipients": "age1a,age1b", "passphrase": "p"])
        let orders = harness.backups.orders
        #expect(orders.map(\.isScheduled) == [false, true] && orders.map(\.isStaged) == [false, true])
        #expect(orders.map(\.includesSecrets) == [nil, true])
        #expect(orders.map(\.recipients) == [[], ["age1a", "age1b"]])
        #expect(orders.map(\.passphrase) == [nil, Secret("p")])
        await harness.close()
    }

    @Test("Backups are listed, and staged ones deleted by name")
    func listing() async throws {
        let harness = try await APIHarness()
        #expect(await harness.operate(.GET, "/admin/backups").json?["backups"] == ["one"])
        #expect(await harness.operate(.DELETE, "/admin/backups/staged/a%20b").status == 200)
        #expect(harness.backups.discarded == ["a b"])
        await harness.close()
    }
}
