package import GateCore

/// A JSON Web Signature in its compact serialization (RFC 7515 §7.1), taken apart. Nothing of it is to be believed before
/// ``SigningKeyRing/verify(_:typ:)`` has said so.
package struct JWS: Sendable {
    package let header: JSON
    package let payload: [UInt8]
    /// What is signed: the two first parts as they were sent, with the dot between them.
    package let signingInput: [UInt8]
    package let signature: [UInt8]

    /// The longest token that is looked at, in bytes: what fits a header line of most servers.
    package static let maximumSize = 8192

    /// Writes and signs a token. The header holds `alg`, `kid` and `typ`, then the members of `header`.
    ///
    /// - Throws: also where the token would be longer than ``maximumSize``.
    package static func sign(
        header extra: [JSON.Member] = [], typ: String, payload: [UInt8], key: SigningKey
    ) throws(CryptoError) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("alg", key.algorithm.rawValue)
        writer.member("kid", key.id)
        writer.member("typ", typ)
        for member in extra { writer.member(member.name, member.value) }
        writer.endObject()
        var token = Base64URL.encoded(writer.bytes)
        token.append(UInt8(ascii: "."))
        token += Base64URL.encoded(payload)
        let signature = try key.sign(token)
        token.append(UInt8(ascii: "."))
        token += Base64URL.encoded(signature)
        guard token.count <= maximumSize else { throw CryptoError("sign a token: it would be longer than \(maximumSize) bytes") }
        return String(decoding: token, as: UTF8.self)
    }

    package static func parse(_ token: some StringProtocol) -> JWS? { parse(Array(token.utf8)) }

    /// `nil` where the token is longer than ``maximumSize``, has not exactly three parts, is not strict base64url without padding,
    /// or its header is not one JSON object with unique names (RFC 7515 §5.2, RFC 8725 §3.11).
    package static func parse(_ token: [UInt8]) -> JWS? {
        guard token.count <= maximumSize else { return nil }
        let dot = UInt8(ascii: ".")
        guard let first = token.firstIndex(of: dot), let second = token[(first + 1)...].firstIndex(of: dot),
            // A further dot is no base64url character, so the signature refuses it.
            let headerBytes = Base64URL.decode(token[..<first]), let payload = Base64URL.decode(token[(first + 1)..<second]),
            let signature = Base64URL.decode(token[(second + 1)...]),
            let header = try? JSON(parsing: headerBytes), header.members != nil
        else { return nil }
        return JWS(header: header, payload: payload, signingInput: Array(token[..<second]), signature: signature)
    }
}
