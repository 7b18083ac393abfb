import GateHTTP

/// One line of a head (RFC 9112 §5), strictly: no folding, no white space before the colon, no control characters.
struct FieldLine {
    let name: UnsafeRawBufferPointer
    /// Without the white space around it.
    let value: UnsafeRawBufferPointer
    /// Of the whole line.
    let length: Int

    /// - Parameters:
    ///   - bytes: a head that is complete, every line of it ending with CR LF.
    ///   - place: where the line begins; where it ended, afterwards.
    @inline(__always)
    init(_ bytes: UnsafeRawBufferPointer, _ place: inout Int) throws(RequestFault) {
        let nameStart = place
        while Octet.isToken(bytes[place]) { place &+= 1 }
        guard place > nameStart, bytes[place] == Octet.colon else {
            let first = bytes[nameStart]
            throw .malformed(
                first == Octet.space || first == Octet.tab
                    ? "A header field is folded over several lines." : "The name of a header field is no token, or no colon follows it.")
        }
        name = UnsafeRawBufferPointer(rebasing: bytes[nameStart..<place])
        place += 1
        while bytes[place] == Octet.space || bytes[place] == Octet.tab { place += 1 }
        let valueStart = place
        place = Octet.endOfFieldContent(bytes, from: place)
        guard bytes[place] == Octet.cr, bytes[place + 1] == Octet.lf else {
            throw .malformed("A header field holds a control character.")
        }
        var valueEnd = place
        while valueEnd > valueStart, bytes[valueEnd - 1] == Octet.space || bytes[valueEnd - 1] == Octet.tab { valueEnd -= 1 }
        place += 2
        value = UnsafeRawBufferPointer(rebasing: bytes[valueStart..<valueEnd])
        length = place - nameStart
    }

    /// Digits and nothing else (RFC 9110 §8.6): no sign, no list, nothing that overflows.
    static func contentLength(_ value: some Collection<UInt8>) throws(RequestFault) -> Int {
        guard !value.isEmpty, value.count <= 18, value.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else {
            throw .malformed("Content-Length is no number.")
        }
        return value.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }
}
