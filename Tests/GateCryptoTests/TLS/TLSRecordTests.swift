import GateCore
import GateTesting
import Testing

@testable import GateCrypto

@Suite("TLS records from a hostile network")
struct TLSRecordTests {
    static let versions: [TLSHandshake.Version] = [.tls12, .tls13]

    @Test("A record that comes in pieces is opened when it is whole", arguments: versions)
    func pieces(_ version: TLSHandshake.Version) throws {
        let pair = try EnginePair(newest: version)
        try pair.shakeHands()
        let sealed = try pair.client.seal([UInt8](repeating: 7, count: 1000))
        for byte in sealed.dropLast() { #expect(try pair.server.open([byte]).plaintext.isEmpty) }
        #expect(try pair.server.open([sealed.last!]).plaintext.count == 1000)
    }

    @Test("A changed byte anywhere ends the connection, and nothing of the record is given out", arguments: versions)
    func tampered(_ version: TLSHandshake.Version) throws {
        for position in [0, 5, 20, 29] {
            let pair = try EnginePair(newest: version)
            try pair.shakeHands()
            var sealed = try pair.client.seal(Array("transfer 1".utf8))
            sealed[position] ^= 1
            #expect(throws: TLSError.self, "byte \(position)") { try pair.server.open(sealed) }
            #expect(pair.server.hasOutput, "The peer is told by an alert.")
            #expect(throws: TLSError.closed) { try pair.server.open(sealed) }
            #expect(throws: TLSError.closed) { try pair.server.seal([1]) }
        }
    }

    @Test("A replayed record ends the connection", arguments: versions)
    func replayed(_ version: TLSHandshake.Version) throws {
        let pair = try EnginePair(newest: version)
        try pair.shakeHands()
        let sealed = try pair.client.seal(Array("transfer 1".utf8))
        #expect(try pair.server.open(sealed).plaintext == Array("transfer 1".utf8))
        #expect(throws: TLSError.self) { try pair.server.open(sealed) }
    }

    @Test("Records out of order end the connection", arguments: versions)
    func reordered(_ version: TLSHandshake.Version) throws {
        let pair = try EnginePair(newest: version)
        try pair.shakeHands()
        let first = try pair.client.seal([1])
        let second = try pair.client.seal([2])
        #expect(throws: TLSError.self) { try pair.server.open(second + first) }
    }

    @Test("What is not TLS is told apart from what is plain HTTP")
    func notTLS() throws {
        let expectations: [(String, TLSError)] = [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", .plainHTTP), ("POST / HTTP/1.1\r\nHost: a\r\n\r\n", .plainHTTP),
            ("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", .plainHTTP), ("SSH-2.0-OpenSSH_9.2\r\n", .notTLS),
        ]
        for (text, error) in expectations {
            #expect(throws: error) { try TestCertificates.server().shakeHands(Array(text.utf8)) }
        }
    }

    @Test("Random bytes never open, crash or hang anything")
    func garbage() throws {
        let entropy = SeededEntropy(seed: 3)
        for round in 0..<300 {
            var bytes = entropy.bytes(entropy.number(in: 1...600))
            // Half of them look like a record, so that they get further.
            if round % 2 == 0 { bytes = [22, 3, 1, UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes }
            let server = try TestCertificates.server()
            _ = try? server.shakeHands(bytes)
            #expect(server.handshake == nil)
        }
    }

    @Test("A ClientHello in shreds of a byte each is a flood")
    func shreds() throws {
        let pair = try EnginePair()
        _ = try pair.client.shakeHands([])
        let hello = pair.client.takeOutput()
        // The content of the one record, each byte in a record of its own.
        let shreds = hello.dropFirst(5).flatMap { [22, 3, 1, 0, 1, $0] as [UInt8] }
        #expect(throws: TLSError.flooded) { try pair.server.shakeHands(shreds) }
    }

    @Test("Records without content are a flood")
    func emptyRecords() throws {
        let pair = try EnginePair()
        _ = try pair.client.shakeHands([])
        let flood = (0..<200).flatMap { _ in [22, 3, 1, 0, 0] as [UInt8] } + pair.client.takeOutput()
        #expect(throws: TLSError.self) { try pair.server.shakeHands(flood) }
    }

    @Test("The end of one direction is told by close_notify; the other goes on", arguments: versions)
    func closing(_ version: TLSHandshake.Version) throws {
        let pair = try EnginePair(newest: version)
        try pair.shakeHands()
        let last = try pair.client.seal(Array("last".utf8))
        pair.client.close()
        let (plaintext, isEnded) = try pair.server.open(last)
        #expect(plaintext == Array("last".utf8) && !isEnded)
        #expect(try pair.server.open(pair.client.takeOutput()).isEnded)
        #expect(throws: TLSError.closed) { try pair.client.seal([1]) }
        #expect(try pair.client.open(pair.server.seal(Array("answer".utf8))).plaintext == Array("answer".utf8))
    }
}
