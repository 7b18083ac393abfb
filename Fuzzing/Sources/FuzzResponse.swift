import GateHTTP
import NIOCore
import NIOHTTP1

@testable import GateNet

/// Responses must be read the same however the network cuts them, as requests must: a proxy passes on what it read.
///
/// The first byte says what was asked for; every further response is asked for in the same way.
func fuzzResponse(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let asked = Asked(method: first & 1 == 0 ? .GET : .HEAD, upgrade: first & 2 == 0 ? nil : "websocket")
    let bytes = Array(bytes.dropFirst())
    let whole = steps(of: [bytes], asked)
    let single = steps(of: bytes.map { [$0] }, asked)
    require(whole == single, "cut into single bytes, the same is read: \(whole) and \(single)")
    let middle = bytes.count / 2
    require(whole == steps(of: [Array(bytes[..<middle]), Array(bytes[middle...])], asked), "cut in half, the same is read")
}

private struct Asked {
    var method: HTTPMethod
    var upgrade: String?
}

/// What comes out of the reader, bodies joined, until it refuses or the input ends.
private func steps(of pieces: [[UInt8]], _ asked: Asked) -> [String] {
    var reader = ResponseReader(limits: ClientLimits())
    var steps: [String] = []
    var body: [UInt8] = []
    reader.expect(asked.method, upgrade: asked.upgrade)
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
                case .proceed: steps.append("proceed")
                case .head(let head):
                    // Its fields stand in a buffer that tells where it was cut.
                    steps.append("\(head.status) \(head.framing) \(String(describing: head.contentLength)) keeps alive: \(head.keepsAlive)")
                    steps.append("\(head.connectionOptions ?? "-") \(head.keepAliveTimeout ?? -1) \(head.fields.headers)")
                case .part(let part):
                    require(part.readableBytes > 0, "no part is empty")
                    body += Array(part.readableBytesView)
                case .needsMore: break reading
                case .end:
                    steps.append("body \(body)")
                    body = []
                    reader.expect(asked.method, upgrade: asked.upgrade)
                }
            }
        }
    } catch {
        return steps + ["body \(body)", "refused: \(error)"]
    }
    return steps
}
