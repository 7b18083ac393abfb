import Synchronization

/// What became of work that needs a lease.
package enum LeasedWork<Result: Sendable>: Sendable {
    case done(Result)
    /// Somebody else has the lease: nothing was begun.
    case notOurs(by: Instance.ID, remaining: Duration)
}

extension LeaseStore {
    /// Does `work` if the lease is to be had, renews it meanwhile, and releases it at the end.
    ///
    /// Where the lease is lost, or cannot be renewed until it ends, the task of `work` is cancelled.
    ///
    /// - Parameter duration: for how long the others wait if this process dies. Renewed after a third of it.
    /// - Throws: `StorageError` where the lease cannot be asked for; what `work` throws.
    package func holding<Result: Sendable>(
        _ name: String, by holder: Instance.ID, for duration: Duration, time: any TimeSource,
        _ work: @escaping @Sendable (Lease) async throws -> Result
    ) async throws -> LeasedWork<Result> {
        switch try await acquire(name, by: holder, for: duration) {
        case .taken(let other, let remaining): return .notOurs(by: other, remaining: remaining)
        case .granted(let lease):
            let outcome: Swift.Result<Result, any Error>
            do { outcome = .success(try await renewing(lease, duration, time, work)) } catch { outcome = .failure(error) }
            // It ends by itself where this fails.
            try? await release(lease)
            return .done(try outcome.get())
        }
    }

    private func renewing<Result: Sendable>(
        _ lease: Lease, _ duration: Duration, _ time: any TimeSource, _ work: @escaping @Sendable (Lease) async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            let end = LeaseEnd(lease.end)
            group.addTask { try await work(lease) }
            group.addTask {
                await renew(lease, for: duration, until: end, time)
                return nil
            }
            group.addTask {
                await end.pass(time)
                return nil
            }
            defer { group.cancelAll() }
            // The lease was lost, or the caller cancelled: so is the work, and what it then returns or throws is its answer.
            while let result = try await group.next() {
                if let result { return result }
                group.cancelAll()
            }
            throw CancellationError()
        }
    }

    /// Returns when the lease is lost, or the task cancelled. Does not throw then: what the work returns is not to be dropped.
    private func renew(_ lease: Lease, for duration: Duration, until end: LeaseEnd, _ time: any TimeSource) async {
        var lease = lease
        while time.monotonic() < lease.end {
            do { try await Task.sleep(for: duration / 3) } catch { return }
            do {
                guard let renewed = try await renew(lease, for: duration) else { return }
                lease = renewed
                end.move(to: renewed.end)
            } catch {
                // There are two more thirds.
            }
        }
    }
}

/// When a lease ends, as far as it was renewed: looked at besides the renewal, which may wait for its store beyond that.
private final class LeaseEnd: Sendable {
    private let moment: Mutex<MonotonicInstant>

    init(_ moment: MonotonicInstant) { self.moment = Mutex(moment) }

    func move(to later: MonotonicInstant) { moment.withLock { $0 = later } }

    /// Returns when it has passed, or the task is cancelled.
    func pass(_ time: any TimeSource) async {
        while true {
            let rest = moment.withLock { $0 }.since(time.monotonic())
            guard rest > .zero else { return }
            do { try await Task.sleep(for: rest) } catch { return }
        }
    }
}
