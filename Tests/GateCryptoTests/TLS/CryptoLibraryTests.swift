import GateTesting
import Testing

@testable import GateCrypto

@Suite("A library context for each event loop")
struct CryptoLibraryTests {
    @Test("is made once, the first loop's being the shared one")
    func made() throws {
        #expect(try CryptoLibrary.ofLoop(0) === CryptoLibrary.shared)
        #expect(try CryptoLibrary.ofLoop(2) === CryptoLibrary.ofLoop(2))
        #expect(try Set((0..<4).map { try CryptoLibrary.ofLoop($0).pointer }).count == 4)
    }

    @Test("serves both versions with both kinds of keys", arguments: ["-newkey rsa:2048", nil], [TLSHandshake.Version.tls12, .tls13])
    func serves(_ key: String?, _ version: TLSHandshake.Version) throws {
        let certified = key.map { TestCertificates.authority.certified("DNS:localhost", key: $0) } ?? TestCertificates.localhost
        let identity = try TLSServerIdentity(certified)
        let context = TLSServerContext(protocols: []) { _ in .init(identity) }
        for loop in 0..<3 {
            let server = try TLSEngine(server: context, first: identity, in: CryptoLibrary.ofLoop(loop))
            let pair = try EnginePair(newest: version, server: server)
            try pair.shakeHands()
            #expect(pair.client.handshake?.version == version)
            #expect(try pair.client.open(pair.server.seal(Array("pong".utf8))).plaintext == Array("pong".utf8))
        }
    }

    @Test("takes the certificate that is chosen in its own terms, not the one that the connection began with")
    func chosen() throws {
        let first = try TLSServerIdentity(TestCertificates.authority.certified("DNS:first.test"))
        let second = try TLSServerIdentity(TestCertificates.localhost)
        let context = TLSServerContext(protocols: []) { _ in .init(second) }
        let pair = try EnginePair(server: TLSEngine(server: context, first: first, in: CryptoLibrary.ofLoop(1)))
        try pair.shakeHands()
        #expect(pair.client.handshake != nil, "The client takes no other name.")
    }
}
