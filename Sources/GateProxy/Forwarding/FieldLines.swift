import GateCore
import GateHTTP

/// Header fields on their way into the form in which they are sent: a line each, into memory that is known to suffice.
struct FieldLines {
    private var memory: LineMemory
    /// Whether every field so far is one: its name a token, its value without control characters (RFC 9110 §5.1, §5.5). Where not, nothing
    /// must be sent: a value with a line break in it would be two fields, or the end of the head (CHECKLIST 33).
    private var isSound = true

    private init(_ target: UnsafeMutableRawBufferPointer) { memory = LineMemory(target) }

    /// - Parameter capacity: what `write` needs at most, in bytes.
    /// - Returns: `nil` where one of the fields is none.
    @inline(__always)
    static func encode(capacity: Int, _ write: (inout FieldLines) -> Void) -> EncodedFields? {
        // By way of the stack: an array made with room to be filled asks for its type's metadata, which costs more than the copy.
        withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 1) { target in
            var lines = FieldLines(target)
            write(&lines)
            return lines.isSound ? EncodedFields(lines: lines.memory.written) : nil
        }
    }

    /// - Parameter name: a token.
    @inline(__always)
    mutating func append(_ name: StaticString, _ value: String) {
        append(name)
        append(": ")
        append(value: value)
        end()
    }

    mutating func append(name: UnsafeRawBufferPointer, value: String) {
        var isToken = !name.isEmpty
        for octet in name { isToken = isToken && Octet.isToken(octet) }
        isSound = isSound && isToken
        memory.copy(name)
        append(": ")
        append(value: value)
        end()
    }

    mutating func append(lines: [UInt8]) { memory.copy(lines) }

    @inline(__always)
    mutating func append(_ text: StaticString) {
        memory.copy(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(value: String) {
        if value.utf8.withContiguousStorageIfAvailable({ append(content: UnsafeRawBufferPointer($0)) }) != nil { return }
        Array(value.utf8).withUnsafeBytes { append(content: $0) }
    }

    private mutating func append(content: UnsafeRawBufferPointer) {
        isSound = isSound && Octet.endOfFieldContent(content, from: 0) == content.count
        memory.copy(content)
    }

    /// An IPv4 address as such, an IPv6 one in `brackets`.
    mutating func append(_ address: IPAddress, brackets: (open: StaticString, close: StaticString) = ("", "")) {
        guard address.isIPv4 else {
            append(brackets.open)
            append(value: address.description)
            append(brackets.close)
            return
        }
        precondition(memory.room >= Self.longestIPv4)
        for place in 0..<4 {
            let number = UInt8(truncatingIfNeeded: address.low >> UInt64(24 - place * 8))
            if place > 0 { memory.put(UInt8(ascii: ".")) }
            if number >= 100 { memory.put(UInt8(ascii: "0") + number / 100) }
            if number >= 10 { memory.put(UInt8(ascii: "0") + number / 10 % 10) }
            memory.put(UInt8(ascii: "0") + number % 10)
        }
    }

    private static let longestIPv4 = 15

    mutating func append(_ id: RequestID) {
        withUnsafeBytes(of: Hex.digits(of: id.value)) { memory.copy($0) }
    }

    @inline(__always)
    mutating func end() { append("\r\n") }
}

/// Lines that somebody has vouched for already, put together in one piece: nothing is left that could be wrong with them.
struct JoinedLines {
    private var memory: LineMemory

    /// - Parameter capacity: what `write` needs at most, in bytes.
    @inline(__always)
    static func encode(capacity: Int, _ write: (inout JoinedLines) -> Void) -> EncodedFields {
        withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 1) { target in
            var lines = JoinedLines(memory: LineMemory(target))
            write(&lines)
            return EncodedFields(lines: lines.memory.written)
        }
    }

    /// - Parameter line: one that was read strictly, with its end.
    @inline(__always)
    mutating func append(line: UnsafeRawBufferPointer) { memory.copy(line) }

    mutating func append(lines: [UInt8]) { memory.copy(lines) }

    mutating func append(_ fields: EncodedFields) {
        append(lines: fields.first)
        append(lines: fields.second)
        append(lines: fields.rest)
    }
}

/// Memory that is filled from its begin, and never beyond its end.
private struct LineMemory {
    private let target: UnsafeMutableRawBufferPointer
    private var count = 0

    init(_ target: UnsafeMutableRawBufferPointer) { self.target = target }

    var room: Int { target.count - count }
    var written: [UInt8] { Array(UnsafeRawBufferPointer(rebasing: target[..<count])) }

    /// Where there is known to be room.
    @inline(__always)
    mutating func put(_ octet: UInt8) {
        target[count] = octet
        count += 1
    }

    @inline(__always)
    mutating func copy(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count <= room)
        guard bytes.count > 0 else { return }
        UnsafeMutableRawBufferPointer(rebasing: target[count..<count + bytes.count]).copyMemory(from: bytes)
        count += bytes.count
    }

    mutating func copy(_ lines: [UInt8]) { lines.withUnsafeBytes { copy($0) } }
}
