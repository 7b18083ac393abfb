package import GateCore
package import GateCrypto

/// The keys that a server makes for itself at first start, with their lives. Kept by ``SecretsFile``.
package struct Secrets: Sendable {
    /// A key that signs tokens. Several of one algorithm: one in use, and those it followed.
    struct Signing: Sendable {
        var id: String
        var algorithm: SigningAlgorithm
        var material: Secret
        var life: Life
    }

    /// A key from which session cookies and refresh tokens are derived.
    struct Session: Sendable {
        var id: String
        var material: Secret
        var life: Life
    }

    struct Life: Hashable, Sendable {
        var createdAt: Timestamp
        /// From then on it only verifies.
        var retiredAt: Timestamp?
    }

    /// How long a retired key still verifies what it made.
    package struct Overlap: Hashable, Sendable {
        package let signing: Duration
        package let session: Duration

        /// As long as a token that was made at the last moment, and a minute for clocks that differ.
        package init(accessTokenLifetime: Duration, sessionLifetime: Duration) {
            signing = accessTokenLifetime + .seconds(60)
            session = sessionLifetime + .seconds(60)
        }
    }

    /// The newest last; the one that is not retired is in use.
    var signing: [Signing]
    var session: [Session]
    /// Hashes addresses for the limiter's keys, so that no address is kept there.
    package internal(set) var accountHashKey: Secret
    /// Access tokens that were issued before it are refused, whichever key signed them. `nil`: none.
    package internal(set) var tokensValidFrom: Timestamp?

    /// New keys of every kind but for signing, which ``ensureSigningKey(_:at:entropy:)`` makes.
    static func generate(at now: Timestamp, entropy: some Entropy) -> Secrets {
        Secrets(signing: [], session: [newSession(at: now, entropy: entropy)], accountHashKey: Secret(entropy.bytes(32)))
    }

    /// Makes a key for an algorithm that has none in use. Returns whether it did.
    mutating func ensureSigningKey(_ algorithm: SigningAlgorithm, at now: Timestamp, entropy: some Entropy) throws(CryptoError) -> Bool {
        guard !signing.contains(where: { $0.algorithm == algorithm && $0.life.retiredAt == nil }) else { return false }
        let key = try SigningKey.generate(algorithm, id: Self.newID(entropy), entropy: entropy)
        signing.append(Signing(id: key.id, algorithm: algorithm, material: key.material, life: Life(createdAt: now)))
        return true
    }

    /// Puts new keys in the place of those in use, which go on verifying for `overlap`, and drops those whose time is over.
    ///
    /// - Parameter algorithm: whose signing key is replaced; `nil` where the configuration gives the key: it has to be changed there.
    package mutating func rotate(
        _ algorithm: SigningAlgorithm?, at now: Timestamp, overlap: Overlap, entropy: some Entropy
    ) throws(CryptoError) {
        if let algorithm { try rotateSigning(algorithm, at: now, entropy: entropy) }
        for index in session.indices where session[index].life.retiredAt == nil { session[index].life.retiredAt = now }
        session.append(Self.newSession(at: now, entropy: entropy))
        prune(at: now, overlap: overlap)
    }

    /// Puts a new key in the place of the one of that algorithm in use, which goes on verifying.
    mutating func rotateSigning(_ algorithm: SigningAlgorithm, at now: Timestamp, entropy: some Entropy) throws(CryptoError) {
        for index in signing.indices where signing[index].algorithm == algorithm && signing[index].life.retiredAt == nil {
            signing[index].life.retiredAt = now
        }
        _ = try ensureSigningKey(algorithm, at: now, entropy: entropy)
    }

    /// Puts new keys in the place of all others, at once: nothing that was made until `now` is good any more. Whole seconds are what
    /// tokens tell, so from the next one on.
    mutating func renew(at now: Timestamp, entropy: some Entropy) {
        signing = []
        session = [Self.newSession(at: now, entropy: entropy)]
        tokensValidFrom = Timestamp(seconds: now.seconds + 1)
    }

    /// Drops the keys with which nothing valid can have been made any more.
    package mutating func prune(at now: Timestamp, overlap: Overlap) {
        signing.removeAll { $0.life.isOver(at: now, after: overlap.signing) }
        session.removeAll { $0.life.isOver(at: now, after: overlap.session) }
    }

    /// The keys of one algorithm: the one in use signs, those before it verify.
    ///
    /// - Parameters:
    ///   - given: the secret of the configuration (`auth.jwt_secret`). It takes the place of all HS256 keys.
    ///   - signer: the id of the key that signs instead of the one in use, if it is there.
    package func signingKeyRing(_ algorithm: SigningAlgorithm, given: Secret?, signer: String? = nil) throws(CryptoError) -> SigningKeyRing
    {
        if algorithm == .hs256, let given {
            return SigningKeyRing(current: try SigningKey(id: Self.id(of: given), algorithm: .hs256, material: given))
        }
        let keys = signing.reversed().filter { $0.algorithm == algorithm }
        let inUse = keys.first { $0.id == signer } ?? keys.first { $0.life.retiredAt == nil }
        var current: SigningKey?
        var previous: [SigningKey] = []
        for stored in keys {
            let key = try SigningKey(id: stored.id, algorithm: algorithm, material: stored.material)
            if stored.id == inUse?.id { current = key } else { previous.append(key) }
        }
        guard let current else { throw CryptoError("sign with \(algorithm.rawValue): there is no key for it") }
        return SigningKeyRing(current: current, previous: previous)
    }

    /// The key that session tokens are made with, and the others, the newest first.
    package var sessionKeys: (current: Secret, previous: [Secret]) { sessionKeys(maker: nil) }

    /// - Parameter maker: the id of the key that they are made with instead of the newest, if it is there.
    func sessionKeys(maker: String?) -> (current: Secret, previous: [Secret]) {
        let newestFirst = Array(session.reversed())
        let place = newestFirst.firstIndex { $0.id == maker } ?? 0
        return (newestFirst[place].material, newestFirst.indices.filter { $0 != place }.map { newestFirst[$0].material })
    }

    /// The ids of the keys with which something is made.
    struct KeysInUse: Hashable, Sendable {
        var signing: [SigningAlgorithm: String] = [:]
        var session: String?
    }

    func keysInUse() -> KeysInUse {
        var keys = KeysInUse(session: session.last?.id)
        for key in signing where key.life.retiredAt == nil { keys.signing[key.algorithm] = key.id }
        return keys
    }

    /// The keys that were in use at that time, where they are others than now.
    func keysInUse(madeBefore time: Timestamp) -> KeysInUse? {
        var keys = KeysInUse(session: session.last { $0.life.createdAt <= time }?.id)
        for key in signing where key.life.createdAt <= time { keys.signing[key.algorithm] = key.id }
        let isSame = keys == keysInUse() || (keys.session == nil && keys.signing.isEmpty)
        return isSame ? nil : keys
    }

    /// The key id of a given secret: tells keys apart, and tells nothing of a secret of 256 bits.
    private static func id(of secret: Secret) -> String { Hex.encode(SHA256.hash(secret.exposed).prefix(4)) }

    private static func newID(_ entropy: some Entropy) -> String { Hex.encode(entropy.bytes(8)) }

    private static func newSession(at now: Timestamp, entropy: some Entropy) -> Session {
        Session(id: newID(entropy), material: Secret(entropy.bytes(32)), life: Life(createdAt: now))
    }
}

extension Secrets.Life {
    fileprivate func isOver(at now: Timestamp, after overlap: Duration) -> Bool {
        retiredAt.map { $0 + overlap < now } ?? false
    }
}
