import GateCore
import GateTesting
import Testing

@testable import GateCrypto

@Suite("Keys of session tickets")
struct SessionTicketKeyRingTests {
    @Test("A key seals for its time, and opens until its last ticket is over")
    func rotation() {
        let time = ManualTime()
        let entropy = SeededEntropy()
        var ring = SessionTicketKeyRing(rotation: .seconds(100), lifetime: .seconds(250))
        func seal() -> SessionTicketKey { ring.sealing(at: time.monotonic()) { SessionTicketKey(entropy, at: time.monotonic()) } }
        func isCurrent(_ key: SessionTicketKey) -> Bool? {
            key.name.withUnsafeBytes { ring.opening($0, at: time.monotonic())?.isCurrent }
        }
        let first = seal()
        time.advance(by: .seconds(99))
        #expect(seal().name == first.name)
        #expect(isCurrent(first) == true)
        time.advance(by: .seconds(1))
        #expect(isCurrent(first) == false, "A session that it opens gets a new ticket.")
        let second = seal()
        #expect(second.name != first.name)
        #expect(second.cipherKey != first.cipherKey && second.authenticationKey != first.authenticationKey)
        #expect(isCurrent(first) == false && isCurrent(second) == true)
        time.advance(by: .seconds(249))
        #expect(isCurrent(first) == false)
        time.advance(by: .seconds(1))
        #expect(isCurrent(first) == nil)
        #expect(isCurrent(second) == false)
        _ = seal()
        #expect(ring.keys.map(\.name).contains(first.name) == false, "What opens nothing any more is forgotten.")
        #expect(ring.keys.count == 2)
    }

    @Test("A key that is not known opens nothing")
    func unknown() {
        let ring = SessionTicketKeyRing(rotation: .seconds(100), lifetime: .seconds(250))
        [UInt8](repeating: 0, count: 16).withUnsafeBytes { #expect(ring.opening($0, at: ManualTime().monotonic()) == nil) }
    }
}
