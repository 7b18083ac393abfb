import GateACME
import GateCore
import GateCrypto
import GateHTTP
import GateTesting
import Testing

@Suite("The chain that is taken")
struct ChainTests {
    private static let first = "https://ca.test/certificate"

    /// A chain whose topmost certificate was issued by `issuer`.
    private static func chain(_ issuer: String) throws -> [UInt8] {
        try CertifiedKey.selfSigned(for: [.dns(issuer)], at: Timestamp(seconds: 1_795_132_800), entropy: SeededEntropy()).chain
    }

    /// What is downloaded, and whose chain is taken in the end, where the authority offers `default` and the alternates.
    private static func take(preferred: String?, default first: String, alternates: [String?]) throws -> (
        downloads: [String], issuer: String?
    ) {
        var script = try FlowScript(preferredChain: preferred)
        _ = script.handle(.begin)
        _ = script.answer(FlowScript.order("valid"), status: 201, location: "https://ca.test/order/1")
        var effect = script.flow.handle(.saved, at: script.now)
        var downloads: [String] = []
        while case .send(.download(let url)) = effect {
            downloads.append(String(url.target.path))
            let number = url.target.path.split(separator: "/").last.flatMap { Int($0) }
            let issuer = number.map { alternates[$0] } ?? first
            guard let issuer else {
                effect = script.flow.handle(.answered(AuthorityAnswer(status: 404)), at: script.now)
                continue
            }
            let links = number == nil ? alternates.indices.compactMap { HTTPURL("https://ca.test/certificate/\($0)") } : []
            effect = script.flow.handle(.answered(AuthorityAnswer(status: 200, body: try chain(issuer), alternates: links)), at: script.now)
        }
        guard case .finish(let bytes) = effect else { return (downloads, nil) }
        return (downloads, try PEM.certificates(bytes).last?.issuer)
    }

    @Test("the first, where nothing is preferred or the first is it") func first() throws {
        let plain = try Self.take(preferred: nil, default: "root-a.test", alternates: ["root-b.test"])
        #expect(plain.downloads == ["/certificate"] && plain.issuer == "root-a.test")
        let same = try Self.take(preferred: "root-a.test", default: "root-a.test", alternates: ["root-b.test"])
        #expect(same.downloads == ["/certificate"] && same.issuer == "root-a.test")
    }

    @Test("the alternate that is preferred, and none beyond it") func preferred() throws {
        let taken = try Self.take(
            preferred: "root-c.test", default: "root-a.test", alternates: ["root-b.test", "root-c.test", "root-d.test"])
        #expect(taken.downloads == ["/certificate", "/certificate/0", "/certificate/1"])
        #expect(taken.issuer == "root-c.test")
    }

    @Test("the first, where the preferred one is not offered, or an alternate cannot be had") func fallback() throws {
        let taken = try Self.take(preferred: "root-x.test", default: "root-a.test", alternates: [nil, "root-b.test"])
        #expect(taken.downloads.count == 3 && taken.issuer == "root-a.test")
    }

    @Test("a bounded number of alternates is looked at") func bounded() throws {
        let taken = try Self.take(
            preferred: "root-x.test", default: "root-a.test", alternates: Array(repeating: "root-b.test", count: 50))
        #expect(taken.downloads.count == 9)
    }

    @Test("what is no chain ends the attempt, and the order with it") func garbage() throws {
        var script = try FlowScript()
        _ = script.handle(.begin)
        _ = script.answer(FlowScript.order("valid"), status: 201, location: "https://ca.test/order/1")
        var step = script.handle(.saved)
        for _ in 0..<6 { step = script.wait(script.answer("no certificate")) }
        let failure = try #require(step.failure)
        #expect(failure.sentence.contains("certificate chain") && !failure.keepsOrder)
    }
}
