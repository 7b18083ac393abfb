package import GateCore
import GateCrypto

/// Where instances put up the challenges of their orders for each other: a port. The validator of an authority asks whichever of them the
/// name leads to.
package protocol ChallengeBoard: Sendable {
    /// Returns once every ``posted(at:)`` that is asked for from now on has it, until `end` or its withdrawal. The same again only prolongs it.
    func post(_ challenge: PostedChallenge, until end: Timestamp, at now: Timestamp) async throws

    /// Nothing where it is not there.
    func withdraw(_ challenge: PostedChallenge) async throws

    /// All that have not ended, those of one kind beside each other and sorted. There are few: one for each name that is being ordered.
    func posted(at now: Timestamp) async throws -> [PostedChallenge]
}

/// A challenge as any instance can answer it. It holds no private key.
package struct PostedChallenge: Hashable, Sendable {
    package let kind: ChallengeKind
    /// That control is to be proven of.
    package let name: String
    /// The token, a full stop, and the thumbprint of the account's key (RFC 8555 §8.1).
    package let keyAuthorization: String

    package init(_ kind: ChallengeKind, name: String, keyAuthorization: String) {
        self.kind = kind
        self.name = name
        self.keyAuthorization = keyAuthorization
    }

    package var token: Substring { keyAuthorization.prefix { $0 != "." } }

    init(_ presented: PresentedChallenge) {
        switch presented {
        case .http01(let name, _, let keyAuthorization): self.init(.http01, name: name, keyAuthorization: keyAuthorization)
        case .tlsALPN01(let name, let keyAuthorization, _):
            self.init(.tlsALPN01, name: name.description, keyAuthorization: keyAuthorization)
        }
    }
}
