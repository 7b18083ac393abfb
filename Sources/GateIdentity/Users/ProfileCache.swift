import GateCore

/// The profiles that were read lately, by user. What is changed, here or by another instance, is removed after the commit.
package final class ProfileCache: Sendable {
    private let cache: ShardedCache<User.ID, UserProfile>

    package init(capacity: Int) { cache = ShardedCache(capacity: capacity) }

    package func find(_ id: User.ID) -> UserProfile? { cache.value(for: id) }

    /// The profile in the cache, or the one that `read` finds, which is remembered unless it was changed meanwhile.
    package func find(_ id: User.ID, orRead read: () async throws -> UserProfile?) async throws -> UserProfile? {
        if let known = cache.value(for: id) { return known }
        let ticket = cache.ticket(for: id)
        guard let profile = try await read() else { return nil }
        cache.store(profile, for: id, ticket: ticket)
        return profile
    }

    package func remove(_ id: User.ID) { cache.remove(id) }
    package func removeAll() { cache.removeAll() }
    package var count: Int { cache.count }
}
