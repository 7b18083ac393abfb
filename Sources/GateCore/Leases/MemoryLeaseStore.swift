import Synchronization

/// Leases where one process has the data to itself: nobody else is asked.
package final class MemoryLeaseStore: LeaseStore {
    private let leases = Mutex<[String: Lease]>([:])
    private let time: any TimeSource

    package init(time: any TimeSource) { self.time = time }

    package func acquire(_ name: String, by holder: Instance.ID, for duration: Duration) async throws -> LeaseAnswer {
        let now = time.monotonic()
        return leases.withLock { leases in
            let last = leases[name]
            let isHeld = last.map { now < $0.end } ?? false
            if let last, isHeld, last.holder != holder { return .taken(by: last.holder, remaining: last.end.since(now)) }
            let generation = (last?.generation ?? 0) + (isHeld ? 0 : 1)
            let lease = Lease(name: name, holder: holder, generation: generation, end: now + duration)
            leases[name] = lease
            return .granted(lease)
        }
    }

    package func renew(_ lease: Lease, for duration: Duration) async throws -> Lease? {
        let now = time.monotonic()
        return leases.withLock { leases in
            guard let held = leases[lease.name], held.isSame(as: lease), now < held.end else { return nil }
            let renewed = Lease(name: lease.name, holder: lease.holder, generation: lease.generation, end: now + duration)
            leases[lease.name] = renewed
            return renewed
        }
    }

    package func release(_ lease: Lease) async throws {
        let now = time.monotonic()
        leases.withLock { leases in
            guard let held = leases[lease.name], held.isSame(as: lease), now < held.end else { return }
            // The generation goes on from here.
            leases[lease.name] = Lease(name: lease.name, holder: lease.holder, generation: lease.generation, end: now)
        }
    }
}

extension Lease {
    fileprivate func isSame(as other: Lease) -> Bool { holder == other.holder && generation == other.generation }
}
