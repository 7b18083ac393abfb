import GateCore
import Testing

@testable import GateCrypto

/// The examples of the RFCs. They carry no `kid` and no `typ`, so they are put to the keys, not to a ring.
@Suite("JWS: published vectors")
struct JWSVectorTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        var source: String
        var algorithm: SigningAlgorithm
        var material: String
        var token: String
        var testDescription: String { source }

        var key: SigningKey {
            get throws { try SigningKey(id: "k", algorithm: algorithm, material: Secret(#require(Base64URL.decode(material.utf8)))) }
        }
    }

    static let vectors = [
        Vector(
            source: "RFC 7515 A.1", algorithm: .hs256,
            material: "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
            token: "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLm"
                + "NvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        Vector(
            source: "RFC 7515 A.3", algorithm: .es256, material: "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
            token: "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cn"
                + "VlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"),
        Vector(
            source: "RFC 8037 A.4", algorithm: .edDSA, material: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
            token: "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4"
                + "ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"),
    ]

    @Test("Each verifies, and the deterministic ones are made again", arguments: vectors)
    func vector(_ vector: Vector) throws {
        let parsed = try #require(JWS.parse(vector.token))
        let key = try vector.key
        #expect(parsed.header["alg"]?.string == vector.algorithm.rawValue)
        #expect(key.verify(parsed.signature, of: parsed.signingInput))
        if vector.algorithm != .es256 { #expect(try key.sign(parsed.signingInput) == parsed.signature) }
        #expect(key.verify(try key.sign(parsed.signingInput), of: parsed.signingInput))
    }

    @Test("The public keys are derived as the RFCs print them")
    func publicKeys() throws {
        let point = try #require(Self.vectors[1].key.publicJWK)
        #expect(
            point == [
                "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "kid": "k", "alg": "ES256", "use": "sig",
            ])
        let edwards = try #require(Self.vectors[2].key.publicJWK)
        #expect(
            edwards == [
                "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "k", "alg": "EdDSA",
                "use": "sig",
            ])
        #expect(try Self.vectors[0].key.publicJWK == nil)
    }
}
