package import GateCore
package import GateCrypto
import Synchronization

/// The secrets of a running server: those that are stored, with what the configuration says about them.
package final class ServerSecrets: Sendable {
    private let store: any SecretsStore
    private let state: Mutex<State>
    private let algorithm: SigningAlgorithm
    private let given: Secret?
    private let overlap: Secrets.Overlap
    private let time: any TimeSource

    private struct State {
        var secrets: Secrets
        var version: SecretsVersion
        /// The keys that are used while newer ones settle.
        var held: HeldKeys?
        /// When the store was asked for what is here, or later: what was asked for before may be older.
        var asOf: MonotonicInstant
    }

    /// Keys that go on signing until the instances know their successors.
    private struct HeldKeys {
        var keys: Secrets.KeysInUse
        var until: MonotonicInstant
    }

    /// What a rotation has done.
    package struct Rotation: Hashable, Sendable {
        /// The new signing key; `nil` where the configuration gives it.
        package let signingKeyID: String?
        /// Until the new keys sign.
        package let settling: Duration

        /// In words for the operator.
        package var summary: String {
            let moment = settling == .zero ? "from now on" : "in \(settling.text), on every instance"
            if let signingKeyID {
                return "New keys sign \(moment) (\(signingKeyID)); the old ones verify until what they made has expired."
            }
            return "New session keys are used \(moment). The signing secret is set by auth.jwt_secret or JWT_SECRET: change it there, and "
                + "restart; access tokens signed with the old one are then refused, and clients refresh them."
        }
    }

    package init(_ store: any SecretsStore, _ stored: StoredSecrets, _ configuration: Configuration, time: any TimeSource) {
        self.store = store
        self.time = time
        algorithm = configuration.auth.signing
        given = configuration.auth.jwtSecret
        overlap = Secrets.Overlap(configuration.auth)
        var secrets = stored.secrets
        let now = time.now()
        // In memory only: a clock that is years ahead must not take keys off the disk.
        secrets.prune(at: now, overlap: overlap)
        // Another instance may have made them just now.
        let held = store.settling == .zero ? nil : secrets.keysInUse(madeBefore: now - store.settling)
        state = Mutex(
            State(
                secrets: secrets, version: stored.version,
                held: held.map { HeldKeys(keys: $0, until: time.monotonic() + store.settling) }, asOf: time.monotonic()))
    }

    package func signingKeys() throws(CryptoError) -> SigningKeyRing { try ring(algorithm, given: given) }

    /// What assertions for applications are signed with: the key of access tokens, unless that is a shared secret.
    package func assertionKeys() throws(CryptoError) -> SigningKeyRing { try ring(algorithm.ofAssertions, given: nil) }

    private func ring(_ algorithm: SigningAlgorithm, given: Secret?) throws(CryptoError) -> SigningKeyRing {
        try state.withLock { state throws(CryptoError) in
            try state.secrets.signingKeyRing(algorithm, given: given, signer: state.held?.keys.signing[algorithm])
        }
    }

    /// The key that session tokens are made with, and those besides it that they are accepted from.
    package var sessionKeys: (current: Secret, previous: [Secret]) {
        state.withLock { $0.secrets.sessionKeys(maker: $0.held?.keys.session) }
    }
    package var tokensValidFrom: Timestamp? { state.withLock { $0.secrets.tokensValidFrom } }
    package var accountHashKey: Secret { state.withLock { $0.secrets.accountHashKey } }
    package var settling: Duration { store.settling }

    /// Makes new keys, and keeps them once they are stored. Whoever holds keys has to be given the new ones then.
    ///
    /// - Throws: `SecretsError`, `StorageError`.
    package func rotate(at now: Timestamp, entropy: any Entropy) async throws -> Rotation {
        let isGiven = algorithm == .hs256 && given != nil
        let stored = try await store.change { current in
            guard var next = current else {
                throw SecretsError(path: store.place, problem: "there is nothing any more", cure: "restart the server")
            }
            do throws(CryptoError) {
                if algorithm.ofAssertions != algorithm { try next.rotateSigning(algorithm.ofAssertions, at: now, entropy: entropy) }
                try next.rotate(isGiven ? nil : algorithm, at: now, overlap: overlap, entropy: entropy)
            } catch {
                throw SecretsError(path: store.place, problem: "no new key can be made (\(error))", cure: "see whether OpenSSL works")
            }
            return next
        }
        take(stored, asOf: time.monotonic())
        return Rotation(
            signingKeyID: isGiven ? nil : stored.secrets.signing.last { $0.algorithm == algorithm }?.id, settling: store.settling)
    }

    /// Takes what another instance has stored.
    ///
    /// - Returns: whether whoever holds keys has to be given others.
    /// - Throws: `SecretsError`, `StorageError`.
    package func refresh() async throws -> Bool {
        let now = time.monotonic()
        guard let stored = try await store.load() else { return false }
        return take(stored, asOf: now)
    }

    /// Whether keys have settled since this was asked last: whoever holds keys has to be given them in their new order.
    package func haveSettled() -> Bool {
        let now = time.monotonic()
        return state.withLock { state in
            guard let held = state.held, held.until <= now else { return false }
            state.held = nil
            return true
        }
    }

    @discardableResult
    private func take(_ stored: StoredSecrets, asOf moment: MonotonicInstant) -> Bool {
        let until = time.monotonic() + store.settling
        return state.withLock { state in
            guard moment >= state.asOf else { return false }
            state.asOf = moment
            guard stored.version != state.version else { return false }
            if store.settling != .zero { state.held = HeldKeys(keys: state.held?.keys ?? state.secrets.keysInUse(), until: until) }
            state.secrets = stored.secrets
            state.version = stored.version
            return true
        }
    }
}

extension SigningAlgorithm {
    /// How assertions are signed where access tokens are signed like this: whoever verifies them must not be able to make them.
    var ofAssertions: SigningAlgorithm { self == .hs256 ? .edDSA : self }
}

extension Secrets.Overlap {
    fileprivate init(_ auth: Configuration.Auth) {
        self.init(accessTokenLifetime: auth.accessTokenLifetime, sessionLifetime: auth.sessionLifetime)
    }
}

extension Configuration {
    /// What there has to be a key for.
    var signingAlgorithms: [SigningAlgorithm] { Set([auth.signing, auth.signing.ofAssertions]).sorted { $0.rawValue < $1.rawValue } }
}
