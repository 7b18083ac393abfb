import GateHTTP
import NIOHTTP1
import Testing

@Suite("Accept-Encoding")
struct AcceptedCodingsTests {
    @Test(
        "A coding is acceptable where it is named, or meant by a star, with a weight above zero",
        arguments: [
            ("gzip", true), ("GZIP", true), ("deflate, gzip;q=0.5", true), ("*", true), ("br;q=1, *;q=0.1", true), ("x-gzip", true),
            ("gzip;q=0", false), ("gzip; q=0.0", false), ("gzip;q=0, *", false), ("*;q=0", false), ("br", false), ("identity", false),
            ("", false), ("gzip ; Q=0", false), ("gzip;q=x", false), ("gzip;q=nan", false), ("gzip;q=-1", false), (";;,", false),
        ])
    func acceptable(_ field: String, _ isAccepted: Bool) {
        #expect((AcceptedCodings(["accept-encoding": field]).weight(of: "gzip") > 0) == isAccepted)
    }

    @Test("Without the field no coding is acceptable")
    func absent() {
        let accepted = AcceptedCodings([:])
        #expect(accepted.weight(of: "gzip") == 0 && accepted.identityWeight == 1)
    }

    @Test(
        "The content as it is stays acceptable unless it is refused, and is liked least where it is not named",
        arguments: [("gzip;q=0.1", 0.0001), ("identity;q=0.5, gzip", 0.5), ("identity;q=0", 0), ("*;q=0", 0), ("*;q=0, identity", 1)])
    func identity(_ field: String, _ weight: Double) {
        #expect(AcceptedCodings(["accept-encoding": field]).identityWeight == weight)
    }
}
