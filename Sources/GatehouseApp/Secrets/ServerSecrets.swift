package import GateCore
package import GateCrypto
import Synchronization

/// The secrets of a running server: those of the file, with what the configuration says about them.
package final class ServerSecrets: Sendable {
    private let file: SecretsFile
    private let secrets: Mutex<Secrets>
    private let algorithm: SigningAlgorithm
    private let given: Secret?
    private let overlap: Secrets.Overlap

    /// What a rotation has done.
    package struct Rotation: Hashable, Sendable {
        /// The new signing key; `nil` where the configuration gives it.
        package let signingKeyID: String?

        /// In words for the operator.
        package var summary: String {
            if let signingKeyID {
                return "New keys sign from now on (\(signingKeyID)); the old ones verify until what they made has expired."
            }
            return "New session keys are in use. The signing secret is set by auth.jwt_secret or JWT_SECRET: change it there, and restart; "
                + "access tokens signed with the old one are then refused, and clients refresh them."
        }
    }

    init(file: SecretsFile, secrets: Secrets, _ configuration: Configuration) {
        self.file = file
        self.secrets = Mutex(secrets)
        algorithm = configuration.auth.signing
        given = configuration.auth.jwtSecret
        overlap = Secrets.Overlap(configuration.auth)
    }

    package func signingKeys() throws(CryptoError) -> SigningKeyRing {
        try secrets.withLock { secrets throws(CryptoError) in try secrets.signingKeyRing(algorithm, given: given) }
    }

    /// What assertions for applications are signed with: the key of access tokens, unless that is a shared secret.
    package func assertionKeys() throws(CryptoError) -> SigningKeyRing {
        try secrets.withLock { secrets throws(CryptoError) in try secrets.signingKeyRing(algorithm.ofAssertions, given: nil) }
    }

    package var sessionKey: Secret { secrets.withLock { $0.sessionKeys.current } }
    package var previousSessionKeys: [Secret] { secrets.withLock { $0.sessionKeys.previous } }
    package var tokensValidFrom: Timestamp? { secrets.withLock { $0.tokensValidFrom } }
    package var accountHashKey: Secret { secrets.withLock { $0.accountHashKey } }

    /// Makes new keys, and keeps them once they are on the disk. Whoever holds keys has to be given the new ones then.
    package func rotate(at now: Timestamp, entropy: some Entropy) throws(SecretsError) -> Rotation {
        // Under the lock, the disk included: two rotations at once must not lose one of them.
        try secrets.withLock { current throws(SecretsError) in
            var next = current
            let isGiven = algorithm == .hs256 && given != nil
            do throws(CryptoError) {
                if algorithm.ofAssertions != algorithm { try next.rotateSigning(algorithm.ofAssertions, at: now, entropy: entropy) }
                try next.rotate(isGiven ? nil : algorithm, at: now, overlap: overlap, entropy: entropy)
            } catch {
                throw SecretsError(path: file.path, problem: "no new key can be made (\(error))", cure: "see whether OpenSSL works")
            }
            try file.write(next)
            current = next
            return Rotation(signingKeyID: isGiven ? nil : next.signing.last { $0.algorithm == algorithm }?.id)
        }
    }
}

extension SigningAlgorithm {
    /// How assertions are signed where access tokens are signed like this: whoever verifies them must not be able to make them.
    fileprivate var ofAssertions: SigningAlgorithm { self == .hs256 ? .edDSA : self }
}

extension Secrets.Overlap {
    fileprivate init(_ auth: Configuration.Auth) {
        self.init(accessTokenLifetime: auth.accessTokenLifetime, sessionLifetime: auth.sessionLifetime)
    }
}

extension SecretsFile {
    /// Opens the secrets in the data folder of `configuration`, or makes them.
    package static func open(
        _ configuration: Configuration, time: any TimeSource, entropy: any Entropy
    ) throws(SecretsError) -> ServerSecrets {
        let file = SecretsFile(folder: configuration.dataDirectory)
        let now = time.now()
        var secrets = try file.open(configuration.auth.signing, at: now, entropy: entropy)
        let ofAssertions = configuration.auth.signing.ofAssertions
        if ofAssertions != configuration.auth.signing { secrets = try file.open(ofAssertions, at: now, entropy: entropy) }
        // In memory only: a clock that is years ahead must not take keys off the disk.
        secrets.prune(at: now, overlap: Secrets.Overlap(configuration.auth))
        return ServerSecrets(file: file, secrets: secrets, configuration)
    }
}
