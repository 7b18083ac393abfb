import GateCore
import GateCrypto
import GateIdentity
import GateTesting
import Synchronization
import Testing

@Suite("Keys that another instance has made")
struct KeyRefreshTests {
    /// The instance that learns of them by asking.
    private final class Learner: Sendable {
        let identity = Mutex<Identity?>(nil)
        let failure = Mutex<StorageError?>(.unavailable(reason: "away"))
        let ring: SigningKeyRing
        let sessionKeys: (Secret, [Secret])

        init(ring: SigningKeyRing, sessionKeys: (Secret, [Secret])) {
            self.ring = ring
            self.sessionKeys = sessionKeys
        }

        func learn() throws {
            if let failure = failure.withLock({ $0 }) { throw failure }
            let identity = identity.withLock { $0 }
            identity?.accessTokens.replaceKeys(ring)
            identity?.sessionTokens.replaceKeys(sessionKeys.0, previous: sessionKeys.1)
        }
    }

    @Test(
        "what they have made is not refused by an instance that may not have heard of them: it asks, and a database that is away is no answer"
    )
    func unknownKeys() async throws {
        try await IdentityFixture.with { maker in
            let old = maker.keys[0]
            let new = Secret(SeededEntropy(seed: 31).bytes(32))
            let ring = SigningKeyRing(current: SigningKeyFixture.make("key-2", seed: 12), previous: [IdentityFixture.signingKey])
            let learner = Learner(ring: ring, sessionKeys: (new, [old]))
            // Its feed was never heard: nothing that it remembers may be believed.
            let taker = try await maker.instance(
                changes: ChangeHub(time: maker.time).feed(), refreshKeys: { try learner.learn() })
            learner.identity.withLock { $0 = taker.identity }
            maker.identity.accessTokens.replaceKeys(ring)
            maker.identity.sessionTokens.replaceKeys(new, previous: [old])

            let made = try await maker.register()
            let bearer = String(decoding: made.accessToken.exposed, as: UTF8.self)
            let session = try maker.identity.authenticate(bearer: bearer).sessionID
            let cookie = String(decoding: maker.identity.sessionTokens.cookieToken(for: session).exposed, as: UTF8.self)
            #expect(throws: IdentityError.notAuthenticated) { try taker.identity.authenticate(bearer: bearer) }
            await #expect(throws: StorageError.self) { try await taker.identity.authenticateAgain(bearer: bearer) }
            await #expect(throws: StorageError.self) { try await taker.identity.authenticate(cookie: cookie) }
            await #expect(throws: StorageError.self) { try await taker.refresh(made) }

            learner.failure.withLock { $0 = nil }
            #expect(try await taker.identity.authenticate(cookie: cookie).sessionID == session)
            #expect(try await taker.identity.authenticateAgain(bearer: bearer).sessionID == session)
            _ = try await taker.refresh(made)
            // What nobody has made stays refused.
            await #expect(throws: IdentityError.notAuthenticated) {
                try await taker.identity.authenticate(cookie: "gst_" + cookie.dropFirst(5))
            }
        }
    }
}
