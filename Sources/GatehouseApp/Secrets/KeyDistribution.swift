import GateAPI
import GateAccess
import GateCore
import GateCrypto
import GateHTTP
import GateIdentity

/// Gives keys to those who use them: when the server starts, after a rotation, and when another instance has made new ones.
struct KeyDistribution: Sendable {
    private let holders: KeyHolders
    private let secrets: ServerSecrets
    private let looks: SharedLook<Void>

    /// Between the beginnings of two looks at the store: what somebody with an unknown token waits at most, besides the look itself.
    static let interval = Duration.milliseconds(200)

    /// - Parameter sleep: how a while passes.
    init(
        _ configuration: Configuration, _ secrets: ServerSecrets, time: any TimeSource,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) throws {
        self.secrets = secrets
        let sessionKeys = secrets.sessionKeys
        let accessTokens = AccessTokenIssuer(
            issuer: configuration.auth.issuer, audience: configuration.auth.audience, keys: try secrets.signingKeys(),
            // A clock that was ahead when that was written, and was set back, must not close the door until it is there again.
            validFrom: secrets.tokensValidFrom.map { min($0, time.now()) })
        let sessionTokens = SessionTokenIssuer(key: sessionKeys.current, previous: sessionKeys.previous)
        let assertions = AssertionIssuer(issuer: configuration.auth.issuer, keys: try secrets.assertionKeys())
        holders = KeyHolders(accessTokens: accessTokens, sessionTokens: sessionTokens, assertions: assertions)
        looks = SharedLook(every: Self.interval, time: time, sleep: sleep) { [holders] in
            let isChanged = try await secrets.refresh()
            // Both are asked: what has settled is said once.
            if secrets.haveSettled() || isChanged { try holders.take(secrets) }
        }
    }

    /// Whether other instances can make new keys.
    var isShared: Bool { secrets.settling != .zero }

    var accessTokens: AccessTokenIssuer { holders.accessTokens }
    var sessionTokens: SessionTokenIssuer { holders.sessionTokens }
    var assertions: AssertionIssuer { holders.assertions }

    /// Makes new keys, stores them first, and gives them to those who hold the old ones.
    ///
    /// - Returns: what was done, in words for the operator.
    /// - Throws: `Problem`, `StorageError`.
    func rotate(at now: Timestamp, entropy: any Entropy) async throws -> String {
        do {
            let rotation = try await secrets.rotate(at: now, entropy: entropy)
            try holders.take(secrets)
            return rotation.summary
        } catch let error as SecretsError {
            throw Problem(.unavailable, error.description)
        }
    }

    /// Takes the keys that another instance has made until now. However many ask, and whether the store answers or not, it is asked once in
    /// ``interval`` at most.
    ///
    /// - Throws: `SecretsError`, `StorageError`.
    func refresh() async throws {
        guard isShared else { return }
        // The keys are with those who use them before anybody who has asked goes on.
        try await looks.value()
    }
}

/// Those who use keys.
private struct KeyHolders: Sendable {
    let accessTokens: AccessTokenIssuer
    let sessionTokens: SessionTokenIssuer
    let assertions: AssertionIssuer

    func take(_ secrets: ServerSecrets) throws {
        let sessionKeys = secrets.sessionKeys
        accessTokens.replaceKeys(try secrets.signingKeys())
        assertions.replaceKeys(try secrets.assertionKeys())
        sessionTokens.replaceKeys(sessionKeys.current, previous: sessionKeys.previous)
    }
}
