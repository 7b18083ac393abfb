import GateCore
import Synchronization

extension Identity {
    /// Heeds what other instances change, until the task is cancelled. Where there can be none it returns at once.
    ///
    /// Until it has caught up with the database for the first time, and whenever the feed is lost, requests ask the database.
    package func followChanges() async {
        guard changes.isShared else { return }
        let (tasks, queue) = AsyncStream<FollowTask>.makeStream()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [self] in
                await changes.follow { event in self.heed(event, queue) }
                queue.finish()
            }
            group.addTask { [self] in
                for await task in tasks {
                    switch task {
                    case .catchUp(let generation): await catchUp(generation)
                    case .publishAgain: await publishAgain()
                    }
                }
            }
        }
        lease.lose()
    }

    /// Whether what this process remembers may be believed; if not, the database has to be asked.
    package var isMemoryCurrent: Bool { lease.isValid(time) }

    private func heed(_ event: ChangeFeedEvent, _ queue: AsyncStream<FollowTask>.Continuation) {
        switch event {
        case .began(let moment): queue.yield(.catchUp(lease.begin(moment)))
        case .change(.everything): queue.yield(.catchUp(lease.doubt()))
        case .change(.profile(let user)): profiles.remove(user)
        case .change(.revoked(let revocation)): remember(revocation)
        case .current(let moment):
            lease.current(asOf: moment)
            if outbox.withLock({ $0.needsEmptying() }) { queue.yield(.publishAgain) }
        case .lost: lease.lose()
        }
    }

    /// Brings memory up to date. Tries until it succeeds, or the feed is lost.
    private func catchUp(_ generation: UInt64) async {
        var wait = Duration.milliseconds(50)
        while lease.isOpen(generation), !Task.isCancelled {
            // What is being read now by others is not kept; what they read from now on is told of by the feed.
            cookies.removeAll()
            profiles.removeAll()
            do {
                try await refreshKeys()
                for revocation in try await revocationStore.load() { remember(revocation) }
                lease.caughtUp(generation)
                return
            } catch {
                try? await Task.sleep(for: wait)
                wait = min(wait * 2, .seconds(1))
            }
        }
    }

    // MARK: What this instance changes

    /// Lets the other instances know what is committed and known to the memory of this one.
    ///
    /// What the feed does not take is told again once it is there. Until then those that have lost it too ask the database.
    func announce(_ changes: [IdentityChange]) async {
        guard self.changes.isShared, !changes.isEmpty else { return }
        do {
            try await self.changes.publish(changes)
        } catch {
            outbox.withLock { $0.add(changes) }
        }
    }

    private func publishAgain() async {
        let waiting = outbox.withLock { $0.takeAll() }
        guard !waiting.isEmpty else { return }
        await announce(waiting)
    }

    /// Lets everybody know that what is told of a user has changed. It has in the database already.
    func forgetProfile(_ user: User.ID) async {
        profiles.remove(user)
        await announce([.profile(user)])
    }

    /// Refuses from now on what the revocation names.
    func remember(_ revocation: Revocation) {
        var revocation = revocation
        if case .session(let id) = revocation.subject {
            // A cookie that was read just before is believed for a while, however old the session's last access token.
            revocation.expiresAt = max(revocation.expiresAt, time.now() + rules.cookieCacheLifetime)
            revocations.insert(revocation)
            cookies.remove(id)
        } else {
            revocations.insert(revocation)
        }
    }
}

private enum FollowTask: Sendable {
    case catchUp(UInt64)
    case publishAgain
}
