import NIOCore
import NIOHTTP1

@testable import GateNet

/// Requests must be read the same however the network cuts them: a difference between two readings is how requests are smuggled.
func fuzzRequest(_ bytes: [UInt8]) {
    let whole = steps(of: [bytes])
    let single = steps(of: bytes.map { [$0] })
    require(whole == single, "cut into single bytes, the same is read: \(whole) and \(single)")
    let middle = bytes.count / 2
    require(whole == steps(of: [Array(bytes[..<middle]), Array(bytes[middle...])]), "cut in half, the same is read")
    // Where all of it is taken, what follows begins anew; but of empty lines there may be one.
    if bytes.first != UInt8(ascii: "\r"), isTakenWhole(bytes) {
        require(steps(of: [bytes, bytes]) == whole.dropLast() + whole, "sent again, the same is read again")
    }
}

private func isTakenWhole(_ bytes: [UInt8]) -> Bool {
    var reader = RequestReader(limits: ServerLimits())
    var buffer = ByteBuffer(bytes: bytes)
    reader.append(&buffer)
    do throws(RequestFault) {
        while true {
            if reader.isBodyComplete {
                guard try reader.nextHead() != nil else { return reader.bufferedBytes == 0 }
            } else if case .needsMore = try reader.nextBodyPart() {
                return false
            }
        }
    } catch {
        return false
    }
}

/// What comes out of the reader, bodies joined, until it refuses or wants more.
private func steps(of pieces: [[UInt8]]) -> [String] {
    var reader = RequestReader(limits: ServerLimits())
    var steps: [String] = []
    var body: [UInt8] = []
    var isInBody = false
    do throws(RequestFault) {
        for piece in pieces {
            var buffer = ByteBuffer(bytes: piece)
            reader.append(&buffer)
            reading: while true {
                if isInBody {
                    switch try reader.nextBodyPart() {
                    case .part(let part): body += Array(part.readableBytesView)
                    case .end:
                        steps.append("body \(body) \(reader.trailers.map { "\($0)" } ?? "")")
                        for (name, value) in reader.trailers ?? [:] {
                            require(TrailerFields.sendable([name: value]).count == 1, "a trailer that is taken can be passed on")
                        }
                        body = []
                        isInBody = false
                    case .needsMore: break reading
                    }
                } else {
                    guard let head = try reader.nextHead() else { break reading }
                    steps.append("\(head)")
                    isInBody = true
                }
            }
        }
    } catch {
        return steps + ["refused: \(error)"]
    }
    return steps + ["rest \(body)"]
}
