package import GateCore

/// What certificate is wanted, and how it may be had.
package struct CertificateRequestPlan: Sendable {
    /// DNS names in their ASCII form and lower case. Not empty; no wildcards, which neither HTTP-01 nor TLS-ALPN-01 can prove.
    package var names: [String]
    /// PEM: the certificate's private key. A resumed order keeps the key that it was saved with.
    package var key: Secret
    /// The kinds of challenge that can be answered, best first.
    package var challenges: [ChallengeKind]
    /// Which kinds failed or succeeded in earlier attempts, as ``IssuedCertificate`` or ``ACMEFailure`` gave it back.
    package var challengeMemory: ChallengeMemory
    /// One of the authority's profiles (draft-ietf-acme-profiles); `nil` for its own choice.
    package var profile: String?
    /// The ARI identifier of the certificate that this one takes the place of (RFC 9773 §4.1, §5). Left out where the authority knows no
    /// ARI or refuses it.
    package var replaces: String?
    /// Of the chains that the authority offers, the one whose topmost certificate was issued by this common name; otherwise the first.
    package var preferredChain: String?
    /// For the whole attempt. An order that is not done by then is kept, and resumed by the next attempt.
    package var timeLimit: Duration

    package init(
        names: [String], key: Secret, challenges: [ChallengeKind] = [.http01, .tlsALPN01],
        challengeMemory: ChallengeMemory = ChallengeMemory(), profile: String? = nil, replaces: String? = nil,
        preferredChain: String? = nil, timeLimit: Duration = .seconds(15 * 60)
    ) {
        self.names = names
        self.key = key
        self.challenges = challenges
        self.challengeMemory = challengeMemory
        self.profile = profile
        self.replaces = replaces
        self.preferredChain = preferredChain
        self.timeLimit = timeLimit
    }
}
