import GateAPI
import GateAccess
import GateCore
import GateCrypto
import GateHTTP
import GateIdentity

/// Gives keys to those who use them: when the server starts, after a rotation, and when another instance has made new ones.
struct KeyDistribution: Sendable {
    let accessTokens: AccessTokenIssuer
    let sessionTokens: SessionTokenIssuer
    let assertions: AssertionIssuer
    private let secrets: ServerSecrets

    init(_ configuration: Configuration, _ secrets: ServerSecrets, time: any TimeSource) throws {
        self.secrets = secrets
        let sessionKeys = secrets.sessionKeys
        accessTokens = AccessTokenIssuer(
            issuer: configuration.auth.issuer, audience: configuration.auth.audience, keys: try secrets.signingKeys(),
            // A clock that was ahead when that was written, and was set back, must not close the door until it is there again.
            validFrom: secrets.tokensValidFrom.map { min($0, time.now()) })
        sessionTokens = SessionTokenIssuer(key: sessionKeys.current, previous: sessionKeys.previous)
        assertions = AssertionIssuer(issuer: configuration.auth.issuer, keys: try secrets.assertionKeys())
    }

    /// Whether other instances can make new keys.
    var isShared: Bool { secrets.settling != .zero }

    private func handOut() throws {
        let sessionKeys = secrets.sessionKeys
        accessTokens.replaceKeys(try secrets.signingKeys())
        assertions.replaceKeys(try secrets.assertionKeys())
        sessionTokens.replaceKeys(sessionKeys.current, previous: sessionKeys.previous)
    }

    /// Makes new keys, stores them first, and gives them to those who hold the old ones.
    ///
    /// - Returns: what was done, in words for the operator.
    /// - Throws: `Problem`, `StorageError`.
    func rotate(at now: Timestamp, entropy: any Entropy) async throws -> String {
        do {
            let rotation = try await secrets.rotate(at: now, entropy: entropy)
            try handOut()
            return rotation.summary
        } catch let error as SecretsError {
            throw Problem(.unavailable, error.description)
        }
    }

    /// Takes the keys that another instance has made.
    ///
    /// - Throws: `SecretsError`, `StorageError`.
    func refresh(ifOlderThan age: Duration) async throws {
        guard isShared else { return }
        let isChanged = try await secrets.refresh(ifOlderThan: age)
        // Both are asked: what has settled is said once.
        if secrets.haveSettled() || isChanged { try handOut() }
    }
}
