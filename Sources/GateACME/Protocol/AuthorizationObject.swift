package import GateCore

/// The authority's record of whether this account controls a name (RFC 8555 §7.1.4).
package struct AuthorizationObject: Hashable, Sendable {
    /// RFC 8555 §7.1.6.
    package enum Status: String, CaseIterable, Sendable {
        case pending, valid, invalid, deactivated, expired, revoked
    }

    package let identifier: OrderIdentifier
    package let status: Status
    package let expires: Timestamp?
    /// Any one of them proves control.
    package let challenges: [ChallengeObject]

    package init(parsing bytes: [UInt8]) throws(MalformedAnswer) {
        let reader = try ObjectReader("authorization", parsing: bytes)
        guard let identifier = try reader.object("identifier") else {
            throw MalformedAnswer("authorization", "it has no \"identifier\"")
        }
        self.identifier = try OrderIdentifier(identifier)
        status = try reader.status()
        expires = try reader.optionalTime("expires")
        var challenges: [ChallengeObject] = []
        for challenge in try reader.objects("challenges") { challenges.append(try ChallengeObject(challenge)) }
        self.challenges = challenges
    }

    package func challenge(_ kind: ChallengeKind) -> ChallengeObject? { challenges.first { $0.kind == kind } }
}
