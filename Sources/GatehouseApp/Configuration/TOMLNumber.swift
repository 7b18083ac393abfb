/// The values of TOML that are written without quotes.
enum TOMLNumber {
    /// `nil` where the word is none of them, or a number beyond 64 bits.
    static func value(of word: String) -> RawValue? {
        if word == "true" || word == "false" { return .bool(word == "true") }
        if let number = integer(word) { return .integer(number) }
        if isFraction(word) { return .other(kind: "a number with a fraction") }
        if isDateOrTime(word) { return .other(kind: "a date or time") }
        return nil
    }

    /// `2026-11-21`
    static func isDate(_ word: String) -> Bool { matches(word, "dddd-dd-dd") }

    private static func integer(_ word: String) -> Int64? {
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where word.hasPrefix(prefix) {
            return ungrouped(word.dropFirst(2)).flatMap { Int64($0, radix: radix) }
        }
        let isSigned = word.hasPrefix("+") || word.hasPrefix("-")
        guard let digits = ungrouped(word.dropFirst(isSigned ? 1 : 0)), isDecimal(digits) else { return nil }
        return Int64((word.hasPrefix("-") ? "-" : "") + digits)
    }

    /// Without the underscores between its digits; `nil` where one has no digit on either side, or nothing is there.
    private static func ungrouped(_ word: Substring) -> String? {
        let groups = word.split(separator: "_", omittingEmptySubsequences: false)
        guard groups.allSatisfy({ !$0.isEmpty && $0.allSatisfy(\.isHexDigit) }) else { return nil }
        return groups.joined()
    }

    /// Digits without a leading zero.
    private static func isDecimal(_ digits: String) -> Bool {
        !digits.isEmpty && digits.utf8.allSatisfy { (0x30...0x39).contains($0) } && (digits.count == 1 || !digits.hasPrefix("0"))
    }

    private static func isFraction(_ word: String) -> Bool {
        let isSigned = word.hasPrefix("+") || word.hasPrefix("-")
        let number = word.dropFirst(isSigned ? 1 : 0)
        if number == "inf" || number == "nan" { return true }
        let parts = number.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == "e" || $0 == "E" }
        if parts.count == 2 {
            let isSigned = parts[1].hasPrefix("+") || parts[1].hasPrefix("-")
            guard let exponent = ungrouped(parts[1].dropFirst(isSigned ? 1 : 0)), exponent.allSatisfy(\.isNumber) else { return false }
        }
        let halves = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        guard halves.count == 2 || halves.count == 1 && parts.count == 2, let whole = ungrouped(halves[0]), isDecimal(whole) else {
            return false
        }
        return halves.count == 1 || ungrouped(halves[1])?.allSatisfy(\.isNumber) == true
    }

    private static func isDateOrTime(_ word: String) -> Bool {
        if isDate(word) || isTime(Substring(word)) { return true }
        guard matches(String(word.prefix(10)), "dddd-dd-dd"), let mark = word.dropFirst(10).first, "Tt".contains(mark) else { return false }
        var time = word.dropFirst(11)
        if time.hasSuffix("Z") || time.hasSuffix("z") {
            time.removeLast()
        } else if time.count > 6, matches(String(time.suffix(5)), "dd:dd"), "+-".contains(time.dropLast(5).last!) {
            time.removeLast(6)
        }
        return isTime(time)
    }

    /// `09:30:00` or `09:30:00.123`
    private static func isTime(_ word: Substring) -> Bool {
        guard matches(String(word.prefix(8)), "dd:dd:dd") else { return false }
        let rest = word.dropFirst(8)
        return rest.isEmpty || rest.count > 1 && rest.first == "." && rest.dropFirst().utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// Whether `word` has the form of `pattern`, in which `d` stands for a digit.
    private static func matches(_ word: String, _ pattern: String) -> Bool {
        word.utf8.count == pattern.utf8.count
            && zip(word.utf8, pattern.utf8).allSatisfy { $1 == UInt8(ascii: "d") ? (0x30...0x39).contains($0) : $0 == $1 }
    }
}
