package import GateCore

/// The sessions that were found by their cookies lately, so that a request with a cookie needs no database.
///
/// An entry is believed for ``lifetime`` at most, by the monotonic clock. Sessions that end are removed.
package final class SessionCookieCache: Sendable {
    package struct Entry: Hashable, Sendable {
        package var userID: User.ID
        /// The session's absolute end.
        package var expiresAt: Timestamp
        var readAt: MonotonicInstant
    }

    private let cache: ShardedCache<Session.ID, Entry>
    package let lifetime: Duration

    package init(capacity: Int, lifetime: Duration) {
        cache = ShardedCache(capacity: capacity)
        self.lifetime = lifetime
    }

    package func find(_ id: Session.ID, at now: MonotonicInstant) -> Entry? {
        guard let entry = cache.value(for: id), now.since(entry.readAt) < lifetime else { return nil }
        return entry
    }

    /// The live session that `read` finds, which is remembered unless it was ended meanwhile.
    package func read(
        _ id: Session.ID, at now: MonotonicInstant, from read: () async throws -> Session?
    ) async throws -> Session? {
        let ticket = cache.ticket(for: id)
        guard let session = try await read() else { return nil }
        cache.store(Entry(userID: session.userID, expiresAt: session.expiresAt, readAt: now), for: id, ticket: ticket)
        return session
    }

    package func remove(_ id: Session.ID) { cache.remove(id) }
    package func removeAll() { cache.removeAll() }
    package var count: Int { cache.count }
}
