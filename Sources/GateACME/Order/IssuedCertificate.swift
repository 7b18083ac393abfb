package import GateCrypto

/// What an order brought.
package struct IssuedCertificate: Sendable {
    /// Checked: the leaf holds the key, and every name that was asked for.
    package let certifiedKey: CertifiedKey
    /// To be given to the next attempt.
    package let challengeMemory: ChallengeMemory

    package init(certifiedKey: CertifiedKey, challengeMemory: ChallengeMemory) {
        self.certifiedKey = certifiedKey
        self.challengeMemory = challengeMemory
    }
}
