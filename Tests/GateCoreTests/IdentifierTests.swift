import GateCore
import GateTesting
import Testing

@Suite("Identifiers")
struct IdentifierTests {
    private enum Thing {}

    @Test("A UUID of version 7: time, version and variant in their places (RFC 9562 §5.7)")
    func layout() {
        let entropy = SeededEntropy(seed: 3)
        for _ in 0..<1000 {
            let id = Identifier<Thing>(at: Timestamp(milliseconds: 0x0192_8374_A5B6), entropy: entropy)
            let text = id.description
            #expect(text.hasPrefix("01928374-a5b6-7"))
            #expect("89ab".contains(Array(text)[19]))
            #expect(text.utf8.count == 36)
            #expect(Identifier<Thing>(text) == id)
            #expect(Identifier<Thing>(text.uppercased()) == id)
        }
    }

    @Test("Later ids sort after earlier ones, as text too")
    func order() {
        let time = ManualTime()
        var last = Identifier<Thing>(at: time.now(), entropy: SystemEntropy()).description
        for _ in 0..<1000 {
            time.advance(by: .milliseconds(1))
            let next = Identifier<Thing>(at: time.now(), entropy: SystemEntropy()).description
            #expect(last < next)
            last = next
        }
    }

    @Test func twoOfOneMomentDiffer() {
        let ids = (0..<10_000).map { _ in Identifier<Thing>(at: Timestamp(seconds: 0), entropy: SystemEntropy()) }
        #expect(Set(ids).count == ids.count)
    }

    @Test(
        "Anything but the canonical form is refused",
        arguments: [
            "", "0", "01928374-a5b6-7000-8000-00000000000", "01928374-a5b6-7000-8000-0000000000000", "01928374a5b670008000000000000000",
            "01928374-a5b6-7000-8000-00000000000g", "{01928374-a5b6-7000-8000-00000000000}", " 1928374-a5b6-7000-8000-000000000000",
            "01928374-a5b6-7000-80000-00000000000", "0192837--a5b6-7000-8000-000000000000", "01928374_a5b6_7000_8000_000000000000",
            "01928374-a5b6-7000-8000-0000000000\u{e9}", "01928374-a5b6-7000-8000-00000000000\0",
            "\u{ff10}1928374-a5b6-7000-8000-0000000000",
        ])
    func refuses(text: String) {
        #expect(Identifier<Thing>(text) == nil)
    }
}
