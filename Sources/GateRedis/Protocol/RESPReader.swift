package import NIOCore

/// Reads RESP3 values from what comes, strictly and within ``RESPLimits``. No socket and no clock.
///
/// It reads the same however the bytes are cut. What RESP2 servers say is read too. Refused is what no server sends unless it is asked to:
/// attributes, and strings and arrays of unknown length.
///
/// After a fault nothing more may be read.
package struct RESPReader {
    private struct Frame {
        let kind: UInt8
        /// Values that are still to come.
        var missing: Int
        var elements: [RESPValue] = []

        var value: RESPValue {
            switch kind {
            case UInt8(ascii: "%"): .map(elements)
            case UInt8(ascii: ">"): .push(elements)
            default: .array(elements)
            }
        }
    }

    private enum Token {
        case value(RESPValue)
        case frame(Frame)
    }

    private let limits: RESPLimits
    private var stack: [Frame] = []
    /// A bulk whose first line has been read.
    private var bulk: (kind: UInt8, length: Int)?
    /// How much of the buffer is known to hold no line end.
    private var scanned = 0
    /// Of the value that is being read.
    private var bytes = 0
    private var elements = 0

    package init(limits: RESPLimits = RESPLimits()) { self.limits = limits }

    /// The next value, or `nil` where more has to come. Takes from `buffer` what it has read.
    package mutating func next(_ buffer: inout ByteBuffer) throws(RESPFault) -> RESPValue? {
        while let token = try token(&buffer) {
            var value: RESPValue
            switch token {
            case .value(let read): value = read
            case .frame(let frame) where frame.missing == 0: value = frame.value
            case .frame(let frame):
                guard stack.count < limits.depth else { throw .tooDeep }
                stack.append(frame)
                continue
            }
            // A value that completes what it stands in makes a value of that.
            while var frame = stack.popLast() {
                frame.elements.append(value)
                frame.missing -= 1
                guard frame.missing == 0 else {
                    stack.append(frame)
                    break
                }
                value = frame.value
            }
            guard stack.isEmpty else { continue }
            bytes = 0
            elements = 0
            return value
        }
        return nil
    }

    private mutating func token(_ buffer: inout ByteBuffer) throws(RESPFault) -> Token? {
        if let bulk { return try body(of: bulk, &buffer) }
        guard let line = try line(&buffer) else { return nil }
        elements += 1
        guard elements <= limits.elements else { throw .tooManyElements }
        guard let type = line.first else { throw .malformedLine }
        let rest = line.dropFirst()
        switch type {
        case UInt8(ascii: "+"): return .value(.string(Array(rest)))
        case UInt8(ascii: "-"): return .value(.error(RESPError(line: rest)))
        case UInt8(ascii: ":"): return .value(.integer(try Self.integer(rest)))
        case UInt8(ascii: "("):
            guard Self.isNumber(rest) else { throw .malformedNumber }
            return .value(.string(Array(rest)))
        case UInt8(ascii: ","): return .value(.double(try Self.double(rest)))
        case UInt8(ascii: "_"):
            guard rest.isEmpty else { throw .malformedLine }
            return .value(.null)
        case UInt8(ascii: "#"):
            switch (rest.first, rest.count) {
            case (UInt8(ascii: "t"), 1): return .value(.boolean(true))
            case (UInt8(ascii: "f"), 1): return .value(.boolean(false))
            default: throw .malformedLine
            }
        case UInt8(ascii: "$"), UInt8(ascii: "="), UInt8(ascii: "!"):
            guard let length = try Self.length(rest, mayBeNull: type == UInt8(ascii: "$")) else { return .value(.null) }
            guard length <= limits.value else { throw .valueTooLarge }
            bulk = (type, length)
            return try body(of: (type, length), &buffer)
        case UInt8(ascii: "*"), UInt8(ascii: "~"), UInt8(ascii: "%"), UInt8(ascii: ">"):
            guard type != UInt8(ascii: ">") || stack.isEmpty else { throw .misplaced }
            guard var count = try Self.length(rest, mayBeNull: type == UInt8(ascii: "*")) else { return .value(.null) }
            guard count <= limits.elements else { throw .tooManyElements }
            if type == UInt8(ascii: "%") { count *= 2 }
            return .frame(Frame(kind: type, missing: count))
        default: throw .unknownType(type)
        }
    }

    // MARK: Lines and bulks

    /// The next line without its end.
    private mutating func line(_ buffer: inout ByteBuffer) throws(RESPFault) -> [UInt8]? {
        let view = buffer.readableBytesView
        guard let end = view.dropFirst(scanned).firstIndex(of: UInt8(ascii: "\n")) else {
            scanned = view.count
            // The carriage return may be the last byte of it.
            guard scanned <= limits.line + 1 else { throw .lineTooLong }
            return nil
        }
        scanned = 0
        let line = view[..<end]
        guard line.count <= limits.line + 1 else { throw .lineTooLong }
        guard line.last == UInt8(ascii: "\r") else { throw .malformedLine }
        let content = Array(line.dropLast())
        guard !content.contains(UInt8(ascii: "\r")) else { throw .malformedLine }
        try count(content.count + 2)
        buffer.moveReaderIndex(forwardBy: content.count + 2)
        return content
    }

    private mutating func body(of bulk: (kind: UInt8, length: Int), _ buffer: inout ByteBuffer) throws(RESPFault) -> Token? {
        guard buffer.readableBytes >= bulk.length + 2 else { return nil }
        self.bulk = nil
        try count(bulk.length + 2)
        guard let content = buffer.readBytes(length: bulk.length), buffer.readBytes(length: 2) == [0x0D, 0x0A] else {
            throw .missingLineEnd
        }
        switch bulk.kind {
        case UInt8(ascii: "!"): return .value(.error(RESPError(line: content)))
        case UInt8(ascii: "="):
            // The format, three characters, and a colon stand in front.
            guard content.count >= 4, content[3] == UInt8(ascii: ":") else { throw .malformedLine }
            return .value(.string(Array(content.dropFirst(4))))
        default: return .value(.string(content))
        }
    }

    private mutating func count(_ more: Int) throws(RESPFault) {
        bytes += more
        guard bytes <= limits.value else { throw .valueTooLarge }
    }
}
