import GateCore
import GateTesting

@testable import GateCrypto

/// Certificates for all tests of this folder; making one takes a process.
enum TestCertificates {
    static let authority = CommandLineAuthority()
    static let localhost = authority.certified("DNS:localhost,IP:127.0.0.1")
    static let root = authority.read("root.pem")
    /// Trusts the authority, and nobody else.
    static func client(newest: TLSHandshake.Version = .tls13, time: any TimeSource = SystemTime()) throws -> TLSClientContext {
        try TLSClientContext(authorities: root, trustsSystem: false, newest: newest, time: time)
    }

    static func server(_ certified: CertifiedKey = localhost, protocols: [String] = ["h2", "http/1.1"]) throws -> TLSEngine {
        let identity = try TLSServerIdentity(certified)
        return try TLSEngine(server: TLSServerContext(protocols: protocols) { _ in .init(identity) }, first: identity)
    }
}

/// A client and a server, and the bytes between them.
struct EnginePair {
    let client: TLSEngine
    let server: TLSEngine

    init(
        newest: TLSHandshake.Version = .tls13, offers: [String] = [], host: String = "localhost", server: TLSEngine? = nil,
        client: TLSClientContext? = nil
    ) throws {
        self.client = try TLSEngine(client: client ?? TestCertificates.client(newest: newest), host: host, protocols: offers)
        self.server = try server ?? TestCertificates.server()
    }

    /// To the end of the handshake on both sides; `cut` cuts what is sent.
    func shakeHands(_ cut: ([UInt8]) -> [ArraySlice<UInt8>] = { [$0[...]] }) throws(TLSError) {
        _ = try client.shakeHands([])
        for _ in 0..<10 {
            for piece in cut(client.takeOutput()) { _ = try server.shakeHands(Array(piece)) }
            // Tickets come after the end of the client's handshake.
            for piece in cut(server.takeOutput()) {
                if client.handshake == nil { _ = try client.shakeHands(Array(piece)) } else { _ = try client.open(Array(piece)) }
            }
            if client.handshake != nil, server.handshake != nil, !client.hasOutput, !server.hasOutput { return }
        }
    }
}

extension TLSEngine {
    func shakeHands(_ bytes: [UInt8]) throws(TLSError) -> Bool {
        try feed(bytes) { input throws(TLSError) in try shakeHands(&input) }
    }

    /// The plaintext of `bytes`, and whether the peer has ended.
    func open(_ bytes: [UInt8]) throws(TLSError) -> (plaintext: [UInt8], isEnded: Bool) {
        var plaintext = [UInt8](repeating: 0, count: bytes.count + (1 << 14))
        let taken = try feed(bytes) { input throws(TLSError) in
            var result = Result<Read, TLSError>.success(Read())
            plaintext.withUnsafeMutableBytes { target in
                do throws(TLSError) { result = .success(try self.read(&input, into: target)) } catch { result = .failure(error) }
            }
            return try result.get()
        }
        return (Array(plaintext[..<taken.count]), taken.isEnded)
    }

    func seal(_ plaintext: [UInt8]) throws(TLSError) -> [UInt8] {
        var sealed = [UInt8](repeating: 0, count: plaintext.count + Self.recordOverhead)
        var result = Result<Int, TLSError>.success(0)
        sealed.withUnsafeMutableBytes { output in
            plaintext.withUnsafeBytes { plaintext in
                do throws(TLSError) { result = .success(try write(plaintext, into: output)) } catch { result = .failure(error) }
            }
        }
        return Array(sealed[..<(try result.get())])
    }

    private func feed<Value>(
        _ bytes: [UInt8], _ body: (inout UnsafeRawBufferPointer) throws(TLSError) -> Value
    ) throws(TLSError) -> Value {
        var result: Result<Value, TLSError>!
        bytes.withUnsafeBytes { bytes in
            var rest = bytes
            do throws(TLSError) { result = .success(try body(&rest)) } catch { result = .failure(error) }
        }
        return try result.get()
    }
}
