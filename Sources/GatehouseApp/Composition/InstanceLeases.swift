package import GateCore

/// Leases in the name of this process.
package struct InstanceLeases: Sendable {
    package let store: any LeaseStore
    package let instance: Instance.ID

    package init(store: any LeaseStore, instance: Instance.ID) {
        self.store = store
        self.instance = instance
    }

    /// See ``LeaseStore/acquire(_:by:for:)``.
    package func acquire(_ name: String, for duration: Duration) async throws -> LeaseAnswer {
        try await store.acquire(name, by: instance, for: duration)
    }
}
