import GateCore
import GateCrypto
import GateTesting
import Testing

@Suite("JWS in the flattened serialization")
struct FlattenedJWSTests {
    /// RFC 7515 appendix A.3, in the serialization of §7.2.2.
    private static let example = Array(
        """
        {"protected":"eyJhbGciOiJFUzI1NiJ9",
         "payload":"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
         "signature":"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"}
        """.utf8)

    private func exampleKey() throws -> SigningKey {
        try SigningKey(
            id: "a3", algorithm: .es256,
            material: Secret(try #require(Base64URL.decode("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI".utf8))))
    }

    @Test("the RFC's example verifies with its key, and with no other") func vector() throws {
        let jws = try #require(FlattenedJWS(Self.example))
        #expect(jws.header == ["alg": "ES256"])
        #expect(jws.isSigned(with: try exampleKey()))
        #expect(!jws.isSigned(with: try .generate(.es256, id: "b", entropy: SeededEntropy())))
        #expect(!jws.isAuthenticated(with: Secret("x")))
    }

    @Test("what is signed verifies; a changed byte of any part does not") func roundTrip() throws {
        let key = try exampleKey()
        let bytes = try FlattenedJWS.sign(
            header: [JSON.Member("nonce", "n"), JSON.Member("url", "https://a.test/")], payload: Array("{}".utf8), key: key)
        let jws = try #require(FlattenedJWS(bytes))
        #expect(jws.header == ["alg": "ES256", "nonce": "n", "url": "https://a.test/"])
        #expect(jws.payload == Array("{}".utf8))
        #expect(jws.isSigned(with: key))
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            guard let parsed = FlattenedJWS(changed) else { continue }
            #expect(!parsed.isSigned(with: key), "byte \(index)")
        }
    }

    @Test("an empty payload is an empty text, as POST-as-GET wants it") func emptyPayload() throws {
        let bytes = try FlattenedJWS.sign(header: [], payload: [], key: exampleKey())
        #expect(try JSON(parsing: bytes)["payload"] == "")
    }

    @Test("HS256 with a key of any length, for external accounts") func hmac() throws {
        for length in [1, 16, 32, 64] {
            let key = Secret([UInt8](repeating: 3, count: length))
            let jws = try #require(
                FlattenedJWS(FlattenedJWS.authenticate(header: [JSON.Member("kid", "k")], payload: [1, 2, 3], key: key)))
            #expect(jws.isAuthenticated(with: key))
            #expect(!jws.isAuthenticated(with: Secret([UInt8](repeating: 4, count: length))))
            #expect(!jws.isSigned(with: try exampleKey()))
        }
    }

    @Test(
        "what is no such serialization",
        arguments: [
            "", "{}", "[]", #"{"protected":"e30","payload":""}"#, #"{"protected":"e30","payload":"","signature":"","header":{}}"#,
            #"{"protected":"e30=","payload":"","signature":""}"#, #"{"protected":"W10","payload":"","signature":""}"#,
            #"{"protected":"e30","payload":"","signature":"","signature":""}"#, #"{"protected":"e30","payload":1,"signature":""}"#,
        ]) func malformed(text: String)
    {
        #expect(FlattenedJWS(Array(text.utf8)) == nil)
    }

    @Test("thumbprints: RFC 8037's example, and the members of EC keys in their order") func thumbprint() throws {
        let ed25519 = try SigningKey(
            id: "a", algorithm: .edDSA, material: Secret(try #require(Base64URL.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A".utf8)))
        )
        #expect(ed25519.thumbprint.map { Base64URL.encode($0) } == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
        let es256 = try exampleKey()
        #expect(es256.bareJWK?.members?.map(\.name) == ["crv", "kty", "x", "y"])
        #expect(es256.bareJWK?["x"] == "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU")
        #expect(
            es256.thumbprint
                == SHA256.hash(
                    Array(
                        """
                        {"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
                        """.utf8)))
        let symmetric = try SigningKey(id: "a", algorithm: .hs256, material: Secret([UInt8](repeating: 1, count: 32)))
        #expect(symmetric.thumbprint == nil)
    }
}
