extension RESPReader {
    /// Digits with at most one sign in front, within 64 bits.
    static func integer(_ text: ArraySlice<UInt8>) throws(RESPFault) -> Int64 {
        guard isNumber(text), let value = Int64(String(decoding: text, as: UTF8.self)) else { throw .malformedNumber }
        return value
    }

    static func isNumber(_ text: ArraySlice<UInt8>) -> Bool {
        var digits = text
        if let first = digits.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") { digits.removeFirst() }
        return !digits.isEmpty && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// A length or count: digits; or -1, which is how RESP2 writes null.
    static func length(_ text: ArraySlice<UInt8>, mayBeNull: Bool) throws(RESPFault) -> Int? {
        if mayBeNull, text.elementsEqual([UInt8(ascii: "-"), UInt8(ascii: "1")]) { return nil }
        guard text.count <= 12, text.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let value = Int(String(decoding: text, as: UTF8.self))
        else { throw .malformedNumber }
        return value
    }

    /// As C prints it; `inf`, `-inf` and `nan` too.
    static func double(_ text: ArraySlice<UInt8>) throws(RESPFault) -> Double {
        let allowed: Set<UInt8> = Set("0123456789+-.eE".utf8)
        let text = String(decoding: text, as: UTF8.self)
        switch text {
        case "inf", "+inf": return .infinity
        case "-inf": return -.infinity
        case "nan", "-nan": return .nan
        default:
            guard !text.isEmpty, text.utf8.allSatisfy(allowed.contains), let value = Double(text) else { throw .malformedNumber }
            return value
        }
    }
}
