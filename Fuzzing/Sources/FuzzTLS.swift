import GateCore
import GateCrypto

/// Whatever comes over the network, TLS neither crashes nor hangs, and gives out nothing that was not sealed for it. The first byte says
/// at which moment the rest arrives.
func fuzzTLS(_ bytes: [UInt8]) {
    guard let moment = bytes.first else { return }
    let hostile = Array(bytes.dropFirst())
    switch moment % 4 {
    case 0: requireNoHandshake(TLSFuzzing.server(), hostile)
    case 1: requireNoHandshake(TLSFuzzing.client(), hostile)
    case 2: requireNothing(TLSFuzzing.pair().server, hostile)
    default: requireNothing(TLSFuzzing.pair().client, hostile)
    }
}

/// Nobody agrees on keys by chance; what is wanted after it has failed is refused.
private func requireNoHandshake(_ engine: TLSEngine, _ hostile: [UInt8]) {
    let whole = (try? engine.shake(hostile)) ?? false
    require(!whole, "no handshake comes about without a peer")
    require(engine.handshake == nil, "nor is one told of")
    require(engine.takeOutput().count < 1 << 15, "what is answered is bounded")
}

private func requireNothing(_ engine: TLSEngine, _ hostile: [UInt8]) {
    require((try? engine.open(hostile)) ?? 0 == 0, "what was not sealed is not opened")
    _ = engine.takeOutput()
}

private enum TLSFuzzing {
    static let certified = try! CertifiedKey.selfSigned(
        for: [CertificateName("localhost")], at: SystemTime().now(), entropy: SystemEntropy())
    static let identity = try! TLSServerIdentity(certified)
    static let context = TLSServerContext(protocols: ["h2", "http/1.1"]) { _ in TLSServerContext.Choice(identity) }
    static let trust = try! TLSClientContext(authorities: certified.chain, trustsSystem: false)

    static func server() -> TLSEngine { try! TLSEngine(server: context, first: identity) }

    /// With its ClientHello sent.
    static func client() -> TLSEngine {
        let client = try! TLSEngine(client: trust, host: "localhost", protocols: ["http/1.1"])
        _ = try! client.shake([])
        _ = client.takeOutput()
        return client
    }

    /// After their handshake.
    static func pair() -> (client: TLSEngine, server: TLSEngine) {
        let server = server()
        let client = try! TLSEngine(client: trust, host: "localhost", protocols: ["http/1.1"])
        _ = try! client.shake([])
        while client.handshake == nil || server.handshake == nil {
            _ = try! server.shake(client.takeOutput())
            _ = try! client.shake(server.takeOutput())
        }
        return (client, server)
    }
}

extension TLSEngine {
    fileprivate func shake(_ bytes: [UInt8]) throws(TLSError) -> Bool {
        try lend(bytes) { input throws(TLSError) in try shakeHands(&input) }
    }

    /// How many bytes of plaintext come out.
    fileprivate func open(_ bytes: [UInt8]) throws(TLSError) -> Int {
        try lend(bytes) { input throws(TLSError) in
            let target = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 14, alignment: 1)
            defer { target.deallocate() }
            return try self.read(&input, into: target).count
        }
    }

    private func lend<Value>(
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
