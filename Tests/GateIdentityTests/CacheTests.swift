import GateCore
import GateIdentity
import GateTesting
import Testing

@Suite("What is kept in memory")
struct CacheTests {
    private static func profile(_ name: String, _ id: User.ID) -> UserProfile {
        var user = Sample.user()
        user.id = id
        user.name = name
        return UserProfile(user: user, memberships: [])
    }

    @Test("a profile that was read before a change is not stored after it")
    func stale() async throws {
        let cache = ProfileCache(capacity: 100)
        let id = Sample.id(User.self)
        let read = try await cache.find(id) {
            // The change is committed, and the cache told, while the old row is on its way.
            cache.remove(id)
            return Self.profile("old", id)
        }
        #expect(read?.user.name == "old")
        #expect(cache.find(id) == nil)
        _ = try await cache.find(id) { Self.profile("new", id) }
        #expect(cache.find(id)?.user.name == "new")
        cache.removeAll()
        #expect(cache.find(id) == nil)
    }

    @Test("a session that ended while its cookie was read is not remembered")
    func staleCookie() async throws {
        let cache = SessionCookieCache(capacity: 100, lifetime: .seconds(60))
        let session = Sample.session(of: Sample.id())
        let now = ManualTime().monotonic()
        _ = try await cache.read(session.id, at: now) {
            cache.remove(session.id)
            return session
        }
        #expect(cache.find(session.id, at: now) == nil)
        _ = try await cache.read(session.id, at: now) { session }
        #expect(cache.find(session.id, at: now)?.userID == session.userID)
    }

    @Test("the cache is bounded, and keeps what is used")
    func bounded() async throws {
        let cache = ProfileCache(capacity: 256)
        let favourite = Sample.id(User.self)
        _ = try await cache.find(favourite) { Self.profile("favourite", favourite) }
        for _ in 0..<5000 {
            let id = Sample.id(User.self)
            _ = try await cache.find(id) { Self.profile("passing", id) }
            #expect(cache.find(favourite) != nil)
        }
        #expect(cache.count <= 256)
    }

    @Test("a read that fails leaves nothing, and is told")
    func failure() async throws {
        let cache = ProfileCache(capacity: 16)
        let id = Sample.id(User.self)
        await #expect(throws: StorageError.closed) { try await cache.find(id) { throw StorageError.closed } }
        #expect(try await cache.find(id) { nil } == nil)
        #expect(cache.count == 0)
    }

    @Test("CHECKLIST 10: a revocation is known until it is pruned, and is never shortened")
    func revocations() {
        let list = RevocationList()
        let now = Sample.start
        let token = Sample.id(AccessToken.self)
        let session = Sample.id(Session.self)
        #expect(!list.isRevoked(token: token, session: session))
        list.insert(Revocation(subject: .token(token), expiresAt: now + .seconds(10)))
        list.insert(Revocation(subject: .token(token), expiresAt: now))
        #expect(list.isRevoked(token: token, session: session) && !list.isRevoked(session: session))
        list.insert(Revocation(subject: .session(session), expiresAt: now + .seconds(20)))
        #expect(list.isRevoked(session: session) && list.count == 2)
        #expect(list.isRevoked(token: Sample.id(), session: session))
        list.prune(before: now + .seconds(10))
        #expect(list.count == 2)
        list.prune(before: now + .seconds(11))
        #expect(list.count == 1 && !list.isRevoked(token: token, session: Sample.id()))
        list.prune(before: now + .seconds(21))
        #expect(list.count == 0 && !list.isRevoked(session: session))
    }
}
