import GateCore
package import GateCrypto
package import GateHTTP

/// One way to prove control of a name (RFC 8555 §7.1.5, §8).
package struct ChallengeObject: Hashable, Sendable {
    /// RFC 8555 §7.1.6.
    package enum Status: String, CaseIterable, Sendable {
        /// Waits for the client to say that it is ready.
        case pending
        /// The authority is looking, and may look more than once.
        case processing
        case valid, invalid
    }

    package let type: String
    /// `nil` for a type that this server cannot answer.
    package var kind: ChallengeKind? { ChallengeKind(rawValue: type) }
    package let url: HTTPURL
    package let status: Status
    package let token: String?
    package let error: ProblemDocument?

    init(_ reader: ObjectReader) throws(MalformedAnswer) {
        type = try reader.text("type")
        url = try reader.url("url")
        status = try reader.status()
        token = try reader.optionalText("token")
        error = try reader.optional("error", "problem document") { ProblemDocument(json: $0) }
        // It becomes part of a path and of what is served there: nothing but base64url (RFC 8555 §8.3), and no endless text.
        if kind != nil, token.map({ (1...1024).contains($0.utf8.count) && $0.utf8.allSatisfy(Self.isBase64URL) }) != true {
            throw MalformedAnswer("challenge", "its \"token\" is no base64url text")
        }
    }

    private static func isBase64URL(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

/// What proves that whoever answers a challenge holds the account's key (RFC 8555 §8.1).
package enum KeyAuthorization {
    /// The token, and the thumbprint of the account's key; `nil` for a key that has none.
    package static func text(token: String, key: SigningKey) -> String? {
        key.thumbprint.map { "\(token).\(Base64URL.encode($0))" }
    }
}
