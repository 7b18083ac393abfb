import GateCrypto
import GateTesting
import Testing

@testable import GateNet

@Suite("Which certificate answers for which name")
struct TLSCertificateTableTests {
    static let identities: [String: TLSServerIdentity] = {
        var identities: [String: TLSServerIdentity] = [:]
        for (name, alternatives) in [
            "exact": "DNS:a.test,DNS:WWW.a.test", "wild": "DNS:*.a.test", "second": "DNS:a.test,DNS:b.test",
            "fallback": "DNS:fallback.test",
            "challenge": "DNS:a.test",
        ] {
            identities[name] = try! TLSServerIdentity(TestCertificates.authority.certified(alternatives))
        }
        return identities
    }()

    @Test(
        "Exact before wildcard before fallback; the first of several",
        arguments: [
            ("a.test", "exact"), ("www.a.test", "exact"), ("x.a.test", "wild"), ("x.y.a.test", "fallback"), ("b.test", "second"),
            (".a.test", "fallback"), ("c.test", "fallback"), ("", "fallback"), ("test", "fallback"), ("*.a.test", "wild"),
            (nil, "fallback"),
        ] as [(String?, String)])
    func lookup(_ name: String?, _ expected: String) {
        let identities = Self.identities
        var table = TLSCertificateTable(fallback: identities["fallback"]!)
        table.serve(["exact", "wild", "second"].map { identities[$0]! }, fallback: identities["fallback"]!)
        let choice = table.choice(for: TLSClientHello(serverName: name, wantsChallenge: false))
        #expect(choice.identity === identities[expected]!)
        #expect(!choice.isChallenge)
    }

    @Test("A challenge answers for its name, to those who want it, until it is withdrawn")
    func challenges() {
        let identities = Self.identities
        var table = TLSCertificateTable(fallback: identities["fallback"]!)
        table.present(identities["challenge"]!, for: "A.test")
        func choice(_ name: String, _ wantsChallenge: Bool) -> TLSServerContext.Choice {
            table.choice(for: TLSClientHello(serverName: name, wantsChallenge: wantsChallenge))
        }
        table.serve([identities["exact"]!], fallback: identities["fallback"]!)
        #expect(choice("a.test", true).isChallenge && choice("a.test", true).identity === identities["challenge"]!)
        #expect(!choice("a.test", false).isChallenge && choice("a.test", false).identity === identities["exact"]!)
        #expect(!choice("b.test", true).isChallenge)
        table.present(nil, for: "a.test")
        #expect(!choice("a.test", true).isChallenge)
    }
}
