import CFaultVFS
import GateCore
import GateSQLite
import Synchronization

/// A disk that fails on demand, and the power of which can be cut. One for each test.
final class FaultyDisk: Sendable {
    static let numbers = Atomic<Int>(0)

    /// What SQLite knows it by.
    let name: String
    private nonisolated(unsafe) let vfs: OpaquePointer

    init() {
        name = "faulty-\(Self.numbers.add(1, ordering: .relaxed).newValue)"
        vfs = fault_vfs_create(name)
    }

    /// Fails the `nth` operation of the given kinds from now on, and those after it if `lasting`.
    func fail(
        _ kind: fault_kind, _ operations: [fault_operation] = [FAULT_ALL], nth: Int = 1, lasting: Bool = true, systemError: Int32 = 0
    ) {
        fault_vfs_arm(vfs, operations.reduce(0) { $0 | $1.rawValue }, nth, lasting ? 1 : 0, kind, systemError)
    }

    /// Counts operations from now on.
    func count(_ operations: [fault_operation]) { fail(FAULT_KIND_NONE, operations) }

    func heal() { fault_vfs_heal(vfs) }

    /// Since the last `fail` or `count`.
    var operations: Int { fault_vfs_count(vfs) }
    var failures: Int { fault_vfs_failures(vfs) }

    /// Writes what a power cut leaves of the files in `folder` into `target`; with a seed, some of what was not synced too.
    func cutPower(_ folder: String, into target: String, seed: UInt32) -> Int {
        Int(fault_vfs_power_cut(vfs, folder, target, seed))
    }
}
