import GateCore
import GateCrypto
import GateIdentity

/// Replaces the keys of a running server: first on disk, then in its memory.
actor SecretRotation {
    private let file: SecretsFile
    private var secrets: Secrets
    private let configuration: Configuration
    private let identity: Identity
    private let time: any TimeSource
    private let entropy: any Entropy

    init(
        file: SecretsFile, secrets: Secrets, configuration: Configuration, identity: Identity, time: any TimeSource, entropy: any Entropy
    ) {
        self.file = file
        self.secrets = secrets
        self.configuration = configuration
        self.identity = identity
        self.time = time
        self.entropy = entropy
    }

    /// - Returns: what was done, in a sentence for the operator.
    func rotate() throws -> String {
        let auth = configuration.auth
        let algorithm = auth.signing.algorithm
        let isGiven = algorithm == .hs256 && auth.jwtSecret != nil
        var rotated = secrets
        try rotated.rotate(isGiven ? nil : algorithm, at: time.now(), overlap: auth.secretOverlap, entropy: entropy)
        try file.write(rotated)
        secrets = rotated
        identity.accessTokens.replaceKeys(try rotated.signingKeyRing(algorithm, given: auth.jwtSecret))
        identity.sessionTokens.replaceKeys(rotated.sessionKeys.current, previous: rotated.sessionKeys.previous)
        let kept = "Tokens made with the old keys stay good until they expire."
        return isGiven
            ? "The session keys are new. \(kept) The key of access tokens is auth.jwt_secret (JWT_SECRET): change it where it is set, and restart."
            : "The \(algorithm.rawValue) key and the session keys are new. \(kept)"
    }
}

extension Configuration.Auth {
    var secretOverlap: Secrets.Overlap { Secrets.Overlap(accessTokenLifetime: accessTokenLifetime, sessionLifetime: sessionLifetime) }
}

extension Configuration.Auth.Signing {
    var algorithm: SigningAlgorithm {
        switch self {
        case .hs256: .hs256
        case .edDSA: .edDSA
        case .es256: .es256
        }
    }
}
