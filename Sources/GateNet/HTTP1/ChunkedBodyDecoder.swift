import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1

/// Takes chunks apart (RFC 9112 §7.1), strictly.
///
/// Extensions are skipped, trailers kept; both are counted against a limit for the whole body, since a client could
/// otherwise send megabytes of them for each byte of content.
struct ChunkedBodyDecoder {
    private enum State {
        case size(Int, digits: Int)
        case chunkExtension(Int)
        case sizeEnd(Int)
        case content(Int)
        case contentCR
        case contentLF
        case trailerStart
        case trailerName
        case trailerValue
        case trailerEnd
        case bodyEnd
    }

    enum Step: Equatable {
        case part(ByteBuffer)
        case end
        case needsMore
    }

    private var state = State.size(0, digits: 0)
    /// Bytes of extensions and trailers that may yet come.
    private var allowance: Int
    /// The trailer at hand, without its colon.
    private var line: [UInt8] = []
    private var nameLength = 0
    /// The fields behind the last chunk, once ``Step/end`` has been given: those that may be there, see ``TrailerFields``.
    private(set) var trailers: HTTPHeaders?
    private var trailerCount = 0

    init(overhead: Int = 8 << 10) { allowance = overhead }

    /// The next part of the content, taken off `buffer`. Nothing behind the end of the body is touched.
    mutating func next(_ buffer: inout ByteBuffer) throws(RequestFault) -> Step {
        while true {
            if case .content(let rest) = state {
                let count = min(rest, buffer.readableBytes)
                guard count > 0 else { return .needsMore }
                state = count == rest ? .contentCR : .content(rest - count)
                return .part(buffer.readSlice(length: count)!)
            }
            guard let octet: UInt8 = buffer.readInteger() else { return .needsMore }
            if try advance(octet) { return .end }
        }
    }

    /// Whether the body has ended.
    private mutating func advance(_ octet: UInt8) throws(RequestFault) -> Bool {
        switch state {
        case .size(let size, let digits):
            if let digit = Hex.value(of: octet) {
                // 15 digits are as many as an Int holds without a look at the sign.
                guard digits < 15 else { throw .malformed("The size of a chunk is too large.") }
                state = .size(size << 4 | Int(digit), digits: digits + 1)
            } else if digits > 0, octet == Octet.cr {
                state = .sizeEnd(size)
            } else if digits > 0, octet == Octet.semicolon {
                state = .chunkExtension(size)
            } else {
                throw .malformed("The size of a chunk is no hexadecimal number.")
            }
        case .chunkExtension(let size):
            try spend()
            if octet == Octet.cr {
                state = .sizeEnd(size)
            } else if !Octet.isFieldContent(octet) {
                throw .malformed("A chunk extension holds a control character.")
            }
        case .sizeEnd(let size):
            guard octet == Octet.lf else { throw .malformed("The size of a chunk does not end with CR LF.") }
            state = size == 0 ? .trailerStart : .content(size)
        case .contentCR:
            guard octet == Octet.cr else { throw .malformed("A chunk is not as long as it says.") }
            state = .contentLF
        case .contentLF:
            guard octet == Octet.lf else { throw .malformed("A chunk is not as long as it says.") }
            state = .size(0, digits: 0)
        case .trailerStart:
            if octet == Octet.cr {
                state = .bodyEnd
            } else {
                guard Octet.isToken(octet) else { throw .malformed("A trailer field does not begin with a name.") }
                trailerCount += 1
                guard trailerCount <= Self.trailerLimit else { throw .malformed("There are too many trailers.") }
                line = [octet]
                state = .trailerName
            }
        case .trailerName:
            try spend()
            if octet == Octet.colon {
                nameLength = line.count
                state = .trailerValue
            } else {
                guard Octet.isToken(octet) else { throw .malformed("The name of a trailer field is no token.") }
                line.append(octet)
            }
        case .trailerValue:
            try spend()
            if octet == Octet.cr {
                state = .trailerEnd
            } else {
                guard Octet.isFieldContent(octet) else { throw .malformed("A trailer field holds a control character.") }
                line.append(octet)
            }
        case .trailerEnd:
            guard octet == Octet.lf else { throw .malformed("A trailer field does not end with CR LF.") }
            takeTrailer()
            state = .trailerStart
        case .bodyEnd:
            guard octet == Octet.lf else { throw .malformed("The body does not end with CR LF.") }
            return true
        case .content: break
        }
        return false
    }

    private mutating func takeTrailer() {
        guard TrailerFields.mayHold(line[..<nameLength]) else { return }
        let value = line[nameLength...].withUnsafeBytes { String(decoding: FieldList.trimmed($0), as: UTF8.self) }
        var fields = trailers ?? HTTPHeaders()
        fields.add(name: String(decoding: line[..<nameLength], as: UTF8.self), value: value)
        trailers = fields
    }

    private static let trailerLimit = 100

    private mutating func spend() throws(RequestFault) {
        allowance -= 1
        guard allowance >= 0 else { throw .malformed("The chunk extensions or trailers are too long.") }
    }
}
