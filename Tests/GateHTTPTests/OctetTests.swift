import GateHTTP
import Testing

@Suite("Octets of the grammar")
struct OctetTests {
    @Test("the content of a field ends at the first octet that it may not hold, wherever that stands, and whatever stands around it")
    func endOfFieldContent() {
        for octet in UInt8.min...UInt8.max {
            for neighbour in [0x20, 0x21, 0x7E, 0x80, 0xFF, 0x09] as [UInt8] {
                for place in 0..<19 {
                    var octets = [UInt8](repeating: neighbour, count: 19)
                    octets[place] = octet
                    let expected = Octet.isFieldContent(octet) ? octets.count : place
                    let end = octets.withUnsafeBytes { Octet.endOfFieldContent($0, from: 0) }
                    if end != expected { Issue.record("\(octet) at \(place) among \(neighbour): \(end)") }
                }
            }
        }
    }

    @Test("it is looked for from the place that is named, and ends with the octets", arguments: 0...20)
    func from(place: Int) {
        let octets = [UInt8](repeating: 0x00, count: place) + [UInt8](repeating: 0x61, count: 20 - place)
        #expect(octets.withUnsafeBytes { Octet.endOfFieldContent($0, from: place) } == 20)
    }

    @Test("tokens and authorities hold what their RFCs say, and nothing else")
    func classes() {
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        let token = Set((letters + "0123456789!#$%&'*+-.^_`|~").utf8)
        let authority = Set((letters + "0123456789-._~!$&'()*+,;=%:[]").utf8)
        for octet in UInt8.min...UInt8.max {
            #expect(Octet.isLetter(octet) == letters.utf8.contains(octet))
            #expect(Octet.isToken(octet) == token.contains(octet))
            #expect(Octet.isAuthority(octet) == authority.contains(octet))
        }
    }

    @Test("a name is the same in any case, and no other octet is taken for one of its own")
    func matching() {
        let name: StaticString = "keep-alive"
        let spelling = Array("Keep-ALIVE".utf8)
        #expect(spelling.withUnsafeBytes { Octet.matches($0, name) })
        for place in spelling.indices {
            for octet in UInt8.min...UInt8.max where Octet.lowercased(octet) != Octet.lowercased(spelling[place]) {
                var other = spelling
                other[place] = octet
                #expect(!other.withUnsafeBytes { Octet.matches($0, name) })
            }
        }
        #expect(!Array("keep-alive2".utf8).withUnsafeBytes { Octet.matches($0, name) })
    }
}
