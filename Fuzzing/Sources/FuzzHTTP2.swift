import GateCore
import NIOCore
import NIOHPACK
import NIOHTTP1

@testable import GateNet

/// The two readers of HTTP/2 that are ours. Frames must be counted the same however the network cuts them; a field section that is taken
/// must be one that HTTP/1.1 can carry.
func fuzzHTTP2(_ bytes: [UInt8]) {
    let whole = metered([bytes])
    let single = metered(bytes.map { [$0] })
    require(whole == single, "cut into single bytes, the same is counted: \(whole) and \(single)")

    var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
    var buffer = ByteBuffer(bytes: bytes)
    requireSound(try? decoder.decodeHeaders(from: &buffer))
    // Fields by lines, since few blocks are well formed.
    var block = HPACKHeaders([(":method", "POST"), (":scheme", "https"), (":path", "/"), (":authority", "a")])
    for line in bytes.split(separator: UInt8(ascii: "\n")).prefix(200) {
        let parts = line.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
        // NIO's decoder refuses such names itself, and its type holds no others.
        guard parts[0].allSatisfy({ $0 < 0x80 }) else { continue }
        block.add(
            name: String(decoding: parts[0], as: UTF8.self), value: parts.count > 1 ? String(decoding: parts[1], as: UTF8.self) : "")
    }
    requireSound(block)
    var tunnel = HPACKHeaders([(":method", "CONNECT"), (":protocol", String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self))])
    tunnel.add(contentsOf: block.filter { $0.name != ":method" }.map { ($0.name, $0.value) })
    requireSound(tunnel)
}

private func requireSound(_ block: HPACKHeaders?) {
    guard let block, HTTP2MessageForm.isRequest(block) else { return }
    for isComplete in [true, false] {
        var reader = HTTP2RequestHead(limits: ServerLimits())
        guard let head = try? reader.parse(block, isComplete: isComplete) else { continue }
        let unsafe: Set<UInt8> = [0, 0x0A, 0x0D]
        for (name, value) in head.headers {
            require(!name.isEmpty && !name.utf8.contains { unsafe.contains($0) || $0 == 0x20 || $0 == 0x3A }, "a name is a token")
            require(!value.utf8.contains(where: unsafe.contains), "no value ends a line")
        }
        require(head.method != .CONNECT, "a tunnel is told of as the GET that it stands for")
        require(head.upgrade.map { Upgrade.isProtocol($0.utf8) } ?? true, "a protocol is a token, or two with a slash")
        require(head.headers["host"].count == 1, "there is one Host")
        require(head.headers["transfer-encoding"].isEmpty, "only the connection frames a body")
        require(head.headers["content-length"].count <= 1, "a body has one length")
    }
}

private func metered(_ pieces: [[UInt8]]) -> String {
    var meter = HTTP2FrameMeter(at: MonotonicInstant(nanoseconds: 0))
    for piece in pieces {
        let verdict = piece.withUnsafeBytes { meter.take($0, at: MonotonicInstant(nanoseconds: 0)) }
        guard verdict == .fine else { return "flooding" }
    }
    return "\(meter)"
}
