/// The field `Range` in bytes (RFC 9110 §14.1.2).
package struct ByteRanges: Hashable, Sendable {
    package enum Spec: Hashable, Sendable {
        /// `100-199`, both included, or `100-` to the end.
        case from(Int, through: Int?)
        /// `-100`: the last so many.
        case last(Int)
    }

    package let specs: [Spec]

    /// More than these are no honest wish: each costs a head in the answer (CVE-2011-3192).
    package static let limit = 32

    /// `nil` for another unit, for what is no list of ranges, and for more than ``limit``: such a field is to be ignored (§14.2).
    package init?(_ text: some StringProtocol) {
        let text = Array(text.utf8)
        guard text.count > 6, text[5] == UInt8(ascii: "="), String(decoding: text[..<5], as: UTF8.self).lowercased() == "bytes" else {
            return nil
        }
        var specs: [Spec] = []
        for element in text[6...].split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let element = Self.trimmed(element)
            // A list may have empty elements, which count for nothing (§5.6.1.2).
            guard !element.isEmpty else { continue }
            guard let spec = Self.spec(element), specs.count < Self.limit else { return nil }
            specs.append(spec)
        }
        guard !specs.isEmpty else { return nil }
        self.specs = specs
    }

    /// The ranges that content of that length has, in the order asked for; those that lie beyond its end are left out (§15.5.17 where
    /// that leaves none).
    package func resolved(in length: Int) -> [Range<Int>] {
        specs.compactMap { spec in
            switch spec {
            case .from(let first, let last):
                guard first < length else { return nil }
                return first..<(last.map { min($0, length - 1) } ?? length - 1) + 1
            case .last(let count):
                guard count > 0, length > 0 else { return nil }
                return max(0, length - count)..<length
            }
        }
    }

    private static func trimmed(_ element: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var element = element
        while let first = element.first, first == 0x20 || first == 0x09 { element.removeFirst() }
        while let last = element.last, last == 0x20 || last == 0x09 { element.removeLast() }
        return element
    }

    private static func spec(_ element: ArraySlice<UInt8>) -> Spec? {
        guard let dash = element.firstIndex(of: UInt8(ascii: "-")) else { return nil }
        let (before, after) = (element[..<dash], element[(dash + 1)...])
        if before.isEmpty { return number(after).map { .last($0) } }
        guard let first = number(before) else { return nil }
        if after.isEmpty { return .from(first, through: nil) }
        guard let last = number(after), last >= first else { return nil }
        return .from(first, through: last)
    }

    /// Digits; what does not fit is as far away as anything.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return digits.reduce(0) { sum, digit in
            let (product, overflows) = sum.multipliedReportingOverflow(by: 10)
            let (next, overflowsToo) = product.addingReportingOverflow(Int(digit - 0x30))
            return overflows || overflowsToo ? .max : next
        }
    }
}
