import GateHTTP
import GateTesting
import NIOHTTP1
import Testing

@testable import GateAccess

@Suite("Taking the session cookie out")
struct CookieSieveTests {
    /// Pieces that `Cookie` fields are made of, and what they are often broken with.
    private static let pieces = ["s", "=", ";", " ", "\t", "s=1", "s=2", "a=1", "xs=1", "S=1", "; ", "s =1", "s= 1", "\"", ",", "é"]

    @Test("finds what everyone else finds, and leaves nothing of it, whatever the fields hold", arguments: 0..<8)
    func agrees(seed: Int) {
        let entropy = SeededEntropy(seed: UInt64(seed))
        func next(_ bound: Int) -> Int { entropy.number(in: 0...bound - 1) }
        for _ in 0..<500 {
            let fields = (0..<1 + next(3)).map { _ in (0..<next(8)).map { _ in Self.pieces[next(Self.pieces.count)] }.joined() }
            let headers = HTTPHeaders(fields.map { ("cookie", $0) })
            var sieve = CookieSieve(name: Array("s".utf8))
            for field in fields { sieve.add(field) }
            #expect((sieve.isAmbiguous ? nil : sieve.found) == headers.cookie("s").map(String.init), "\(fields)")
            guard sieve.hasChanged, let rest = sieve.rest else { continue }
            #expect(HTTPHeaders([("cookie", rest)]).cookie("s") == nil, "\(fields)")
            var again = CookieSieve(name: Array("s".utf8))
            again.add(rest)
            #expect(again.rest == rest && again.found == nil, "\(fields)")
        }
    }
}
