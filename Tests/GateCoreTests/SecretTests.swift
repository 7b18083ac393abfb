import GateCore
import Testing

@Suite("Secrets")
struct SecretTests {
    private struct Holder {
        var name = "holder"
        var secret = Secret("hunter2")
        var list = [Secret("hunter2")]
        var optional: Secret? = Secret("hunter2")
    }

    @Test("CHECKLIST 43: no way of printing shows a secret")
    func neverPrints() {
        let holder = Holder()
        var texts = [
            "\(holder.secret)", "\(holder)", String(describing: holder), String(reflecting: holder), holder.secret.debugDescription,
            "\(holder.list)", "\(holder.optional as Any)", String(describing: ["key": holder.secret]),
        ]
        for depth in [1, 10] {
            var dumped = ""
            dump(holder, to: &dumped, maxDepth: depth)
            dump(holder.secret, to: &dumped, maxDepth: depth)
            texts.append(dumped)
        }
        for text in texts {
            #expect(!text.contains("hunter2"), "\(text)")
            #expect(!text.contains("104, 117"), "its bytes: \(text)")
        }
        #expect("\(holder.secret)" == "<redacted>")
        #expect(Mirror(reflecting: holder.secret).children.isEmpty)
    }

    @Test func comparesByContent() {
        #expect(Secret("a") == Secret([0x61]))
        #expect(Secret("a") != Secret("b"))
        #expect(Secret("a") != Secret("aa"))
        #expect(Secret("") == Secret([]))
        #expect(Secret("key").exposed == Array("key".utf8))
        #expect(Secret("key").count == 3)
        #expect(constantTimeEqual([], []))
        #expect(constantTimeEqual([1, 2, 3], [1, 2, 3]))
        for index in 0..<3 {
            var other: [UInt8] = [1, 2, 3]
            other[index] ^= 0x80
            #expect(!constantTimeEqual([1, 2, 3], other))
        }
    }
}
