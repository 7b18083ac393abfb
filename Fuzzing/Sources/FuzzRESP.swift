import NIOCore

@testable import GateRedis

/// What Redis says must be read the same however the network cuts it, within the limits, and whatever is read is written as a reply is
/// understood: changes of other instances and keys of limits among it.
func fuzzRESP(_ bytes: [UInt8]) {
    let whole = values(of: [bytes])
    require(whole == values(of: bytes.map { [$0] }), "cut into single bytes, the same is read")
    let middle = bytes.count / 2
    require(whole == values(of: [Array(bytes[..<middle]), Array(bytes[middle...])]), "cut in half, the same is read")
    let text = String(decoding: bytes, as: UTF8.self)
    if let key = LimitKeyName.read(text, prefix: "") {
        let again = LimitKeyName.read(LimitKeyName.text(key.subject, policy: key.policy, prefix: ""), prefix: "")
        require(again?.subject == key.subject && again?.policy == key.policy, "a key is read as it was written")
    }
}

/// What comes out of the reader, until it refuses or the input ends. Not a number is equal to itself here.
private func values(of pieces: [[UInt8]]) -> [String] {
    var limits = RESPLimits()
    limits.line = 256
    limits.value = 2048
    limits.elements = 200
    var reader = RESPReader(limits: limits)
    var buffer = ByteBuffer()
    var values: [String] = []
    do throws(RESPFault) {
        for piece in pieces {
            buffer.writeBytes(piece)
            while let value = try reader.next(&buffer) { values.append("\(value)") }
        }
    } catch {
        values.append("\(error)")
    }
    return values
}
