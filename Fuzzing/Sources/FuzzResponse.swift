import NIOCore
import NIOHTTP1

@testable import GateNet

/// Responses must be read the same however the network cuts them, as requests must: a proxy passes on what it read.
///
/// The first byte says what was asked for; every further response is asked for in the same way.
func fuzzResponse(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let method: HTTPMethod = first & 1 == 0 ? .GET : .HEAD
    let bytes = Array(bytes.dropFirst())
    let whole = steps(of: [bytes], method)
    let single = steps(of: bytes.map { [$0] }, method)
    require(whole == single, "cut into single bytes, the same is read: \(whole) and \(single)")
    let middle = bytes.count / 2
    require(whole == steps(of: [Array(bytes[..<middle]), Array(bytes[middle...])], method), "cut in half, the same is read")
}

/// What comes out of the reader, bodies joined, until it refuses or the input ends.
private func steps(of pieces: [[UInt8]], _ method: HTTPMethod) -> [String] {
    var reader = ResponseReader(limits: ClientLimits())
    var steps: [String] = []
    var body: [UInt8] = []
    reader.expect(method)
    do throws(ResponseFault) {
        for piece in pieces + [nil] {
            if let piece {
                var buffer = ByteBuffer(bytes: piece)
                reader.append(&buffer)
            } else {
                reader.endInput()
            }
            reading: while true {
                switch try reader.next() {
                case .head(let head): steps.append("\(head)")
                case .part(let part):
                    require(part.readableBytes > 0, "no part is empty")
                    body += Array(part.readableBytesView)
                case .needsMore: break reading
                case .end:
                    steps.append("body \(body)")
                    body = []
                    reader.expect(method)
                }
            }
        }
    } catch {
        return steps + ["body \(body)", "refused: \(error)"]
    }
    return steps
}
