import GateTesting
import Testing

@testable import GateCrypto

@Suite("TLS handshakes")
struct TLSHandshakeTests {
    @Test("Both versions agree on authenticated encryption, our preference first", arguments: [TLSHandshake.Version.tls12, .tls13])
    func versions(_ version: TLSHandshake.Version) throws {
        let pair = try EnginePair(newest: version, offers: ["h2", "http/1.1"], host: "LocalHost")
        try pair.shakeHands()
        let handshake = try #require(pair.server.handshake)
        #expect(handshake.version == version)
        #expect(handshake.cipher == (version == .tls13 ? "TLS_AES_128_GCM_SHA256" : "ECDHE-ECDSA-AES128-GCM-SHA256"))
        #expect(handshake.serverName == "localhost")
        #expect(!handshake.isResumed)
        #expect(pair.client.handshake?.applicationProtocol == "h2")
        #expect(try pair.server.open(pair.client.seal(Array("ping".utf8))).plaintext == Array("ping".utf8))
        #expect(try pair.client.open(pair.server.seal(Array("pong".utf8))).plaintext == Array("pong".utf8))
    }

    @Test("An RSA certificate serves both versions", arguments: [TLSHandshake.Version.tls12, .tls13])
    func rsa(_ version: TLSHandshake.Version) throws {
        let server = try TestCertificates.server(TestCertificates.authority.certified("DNS:localhost", key: "-newkey rsa:2048"))
        let pair = try EnginePair(newest: version, server: server)
        try pair.shakeHands()
        #expect(pair.server.handshake?.cipher == (version == .tls13 ? "TLS_AES_128_GCM_SHA256" : "ECDHE-RSA-AES128-GCM-SHA256"))
    }

    struct Offer: Sendable {
        var spoken: [String]
        var offered: [String]
        var chosen: String?
    }

    @Test(
        "ALPN chooses by the server's preference",
        arguments: [
            Offer(spoken: ["h2", "http/1.1"], offered: ["http/1.1", "h2"], chosen: "h2"),
            Offer(spoken: ["h2", "http/1.1"], offered: ["http/1.1"], chosen: "http/1.1"),
            Offer(spoken: ["http/1.1"], offered: ["h2", "http/1.1"], chosen: "http/1.1"),
            Offer(spoken: ["h2", "http/1.1"], offered: ["h", "http/1.0", "spdy/3", "http/1.1"], chosen: "http/1.1"),
            Offer(spoken: ["h2", "http/1.1"], offered: [], chosen: nil),
        ])
    func alpn(_ offer: Offer) throws {
        let pair = try EnginePair(offers: offer.offered, server: TestCertificates.server(protocols: offer.spoken))
        try pair.shakeHands()
        #expect(pair.server.handshake?.applicationProtocol == offer.chosen)
        #expect(pair.client.handshake?.applicationProtocol == offer.chosen)
    }

    @Test("ALPN without a common protocol is refused with its alert", arguments: [["spdy/3"], ["acme-tls/1"]])
    func noCommonProtocol(_ offered: [String]) throws {
        let pair = try EnginePair(offers: offered)
        #expect(throws: TLSError.noSharedProtocol) { try pair.shakeHands() }
        #expect(throws: TLSError.refused(alert: 120)) { _ = try pair.client.shakeHands(pair.server.takeOutput()) }
        #expect(TLSError.refused(alert: 120).description.contains("no_application_protocol"))
    }

    @Test("A handshake that comes byte by byte is a handshake", arguments: [TLSHandshake.Version.tls12, .tls13])
    func bytewise(_ version: TLSHandshake.Version) throws {
        let pair = try EnginePair(newest: version)
        try pair.shakeHands { bytes in bytes.indices.map { bytes[$0...$0] } }
        #expect(pair.server.handshake != nil)
    }

    @Test("A name that nobody serves is refused where the choice says so")
    func unknownName() throws {
        let identity = try TLSServerIdentity(TestCertificates.localhost)
        let context = TLSServerContext(protocols: []) { $0.serverName == "localhost" ? .init(identity) : nil }
        let pair = try EnginePair(host: "other.test", server: TLSEngine(server: context, first: identity))
        #expect(throws: TLSError.self) { try pair.shakeHands() }
        #expect(throws: TLSError.refused(alert: 112)) { _ = try pair.client.shakeHands(pair.server.takeOutput()) }
    }

    @Test("A challenge is answered with its certificate and its protocol alone")
    func challenge() throws {
        let ordinary = try TLSServerIdentity(TestCertificates.localhost)
        let special = try TLSServerIdentity(TestCertificates.authority.certified("DNS:localhost,DNS:challenge.test"))
        let context = TLSServerContext(protocols: ["h2", "http/1.1"]) { hello in
            hello.wantsChallenge ? .init(special, isChallenge: true) : .init(ordinary)
        }
        for (offered, expected) in [(["acme-tls/1"], "acme-tls/1"), (["acme-tls/1", "h2"], "h2")] {
            let pair = try EnginePair(offers: offered, server: TLSEngine(server: context, first: ordinary))
            try pair.shakeHands()
            #expect(pair.server.handshake?.applicationProtocol == expected)
            #expect(pair.client.presented?.leaf?.dnsNames.contains("challenge.test") == (expected == "acme-tls/1"))
        }
    }
}
