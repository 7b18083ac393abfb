package import GateCore

/// A JSON Web Signature in its flattened JSON serialization (RFC 7515 §7.2.2), which ACME wraps every request in (RFC 8555 §6.2).
package struct FlattenedJWS: Sendable {
    /// The members of the protected header. There is no unprotected one.
    package let header: JSON
    package let payload: [UInt8]
    private let signingInput: [UInt8]
    private let signature: [UInt8]

    /// - Parameters:
    ///   - header: the members of the protected header after `alg`.
    ///   - payload: empty for what ACME calls POST-as-GET (RFC 8555 §6.3).
    package static func sign(header: [JSON.Member], payload: [UInt8], key: SigningKey) throws(CryptoError) -> [UInt8] {
        let parts = Parts(algorithm: key.algorithm, header: header, payload: payload)
        return parts.serialized(signature: try key.sign(parts.signingInput))
    }

    /// With HS256 and a key of any length, as authorities give it out for external account binding (RFC 8555 §7.3.4).
    package static func authenticate(header: [JSON.Member], payload: [UInt8], key: Secret) -> [UInt8] {
        let parts = Parts(algorithm: .hs256, header: header, payload: payload)
        return parts.serialized(signature: HMACSHA256.authenticate(parts.signingInput, key: key))
    }

    /// `nil` where `bytes` is not such a serialization with strict base64url, or has members beside the three (RFC 8555 §6.2 forbids
    /// an unprotected header).
    package init?(_ bytes: [UInt8]) {
        guard let object = try? JSON(parsing: bytes), object.members?.count == 3,
            let protected = object["protected"]?.string, let payload = object["payload"]?.string,
            let headerBytes = Base64URL.decode(protected.utf8), let content = Base64URL.decode(payload.utf8),
            let signature = object["signature"]?.string.flatMap({ Base64URL.decode($0.utf8) }),
            let header = try? JSON(parsing: headerBytes), header.members != nil
        else { return nil }
        self.header = header
        self.payload = content
        self.signature = signature
        signingInput = Array("\(protected).\(payload)".utf8)
    }

    /// Whether `key` made it: with the algorithm that the key is for, whatever the header says beside it.
    package func isSigned(with key: SigningKey) -> Bool {
        header["alg"]?.string == key.algorithm.rawValue && key.verify(signature, of: signingInput)
    }

    /// The HS256 counterpart of ``isSigned(with:)``.
    package func isAuthenticated(with key: Secret) -> Bool {
        header["alg"]?.string == SigningAlgorithm.hs256.rawValue && HMACSHA256.verify(signature, of: signingInput, key: key)
    }

    private struct Parts {
        let protected: String
        let payload: String

        init(algorithm: SigningAlgorithm, header: [JSON.Member], payload: [UInt8]) {
            let members = [JSON.Member("alg", .string(algorithm.rawValue))] + header
            protected = Base64URL.encode(JSON.object(members).bytes)
            self.payload = Base64URL.encode(payload)
        }

        var signingInput: [UInt8] { Array("\(protected).\(payload)".utf8) }

        func serialized(signature: [UInt8]) -> [UInt8] {
            let object: JSON = [
                "protected": .string(protected), "payload": .string(payload), "signature": .string(Base64URL.encode(signature)),
            ]
            return object.bytes
        }
    }
}
