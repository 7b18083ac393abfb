import GateACME
package import GateCore
import GateSQL
import Synchronization

/// The turn of one instance among several, by a lease.
package final class LeasedTurn: OrderingTurn {
    /// One for everything that is asked of authorities: an account is registered once, and failures are counted together.
    package static let name = "certificates"

    /// What the others wait where the process with the turn dies.
    package static let duration = Duration.seconds(10)

    private let leases: any LeaseStore
    private let holder: Instance.ID
    private let time: any TimeSource
    private let current = Mutex<Lease?>(nil)

    package init(_ leases: any LeaseStore, holder: Instance.ID, time: any TimeSource) {
        self.leases = leases
        self.holder = holder
        self.time = time
    }

    package func take(_ body: @escaping @Sendable () async -> Void) async -> Bool {
        let work = try? await leases.holding(Self.name, by: holder, for: Self.duration, time: time) { [self] lease in
            current.withLock { $0 = lease }
            defer { current.withLock { $0 = nil } }
            await body()
        }
        if case .done = work { return true }
        return false
    }

    /// Whether this instance has the turn: to be asked in the transaction that writes.
    func isHeld(_ connection: any SQLConnection) throws(StorageError) -> Bool {
        guard let lease = current.withLock({ $0 }) else { return false }
        return try LeaseRows.isHeld(lease, connection)
    }
}
