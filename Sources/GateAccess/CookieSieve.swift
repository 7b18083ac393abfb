/// Takes one cookie out of `Cookie` fields, and puts what is left into one field, as HTTP/1.1 wants it (RFC 9113 §8.2.3).
struct CookieSieve {
    /// The cookie's name.
    private let name: [UInt8]
    /// Its value; `nil` as long as it was not met.
    private(set) var found: String?
    /// It was met with two different values: one of them was set by somebody else, and there is no telling which.
    private(set) var isAmbiguous = false
    private var kept: [UInt8] = []
    private var fields = 0

    init(name: [UInt8]) { self.name = name }

    /// Whether the fields as they came are not those to send.
    var hasChanged: Bool { found != nil || fields > 1 }
    /// What is left, for one field; `nil` where nothing is.
    var rest: String? { kept.isEmpty ? nil : String(decoding: kept, as: UTF8.self) }

    /// - Parameter value: of one `Cookie` field.
    mutating func add(_ value: String) {
        fields += 1
        var value = value
        value.withUTF8 { bytes in
            var start = 0
            while start < bytes.count {
                var end = start
                while end < bytes.count, bytes[end] != UInt8(ascii: ";") { end += 1 }
                take(Self.trimmed(UnsafeBufferPointer(rebasing: bytes[start..<end])))
                start = end + 1
            }
        }
    }

    private mutating func take(_ pair: UnsafeBufferPointer<UInt8>) {
        guard !pair.isEmpty else { return }
        guard let value = valueIfNamed(pair) else {
            if !kept.isEmpty {
                kept.append(UInt8(ascii: ";"))
                kept.append(UInt8(ascii: " "))
            }
            kept.append(contentsOf: pair)
            return
        }
        let text = String(decoding: value, as: UTF8.self)
        if let found, found != text { isAmbiguous = true }
        found = text
    }

    private func valueIfNamed(_ pair: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8>? {
        guard pair.count > name.count else { return nil }
        for place in name.indices where pair[place] != name[place] { return nil }
        var place = name.count
        while place < pair.count, pair[place] == 0x20 || pair[place] == 0x09 { place += 1 }
        guard place < pair.count, pair[place] == UInt8(ascii: "=") else { return nil }
        return Self.trimmed(UnsafeBufferPointer(rebasing: pair[(place + 1)...]))
    }

    /// Without spaces and tabs around it.
    private static func trimmed(_ bytes: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
        var start = 0
        var end = bytes.count
        while start < end, bytes[start] == 0x20 || bytes[start] == 0x09 { start += 1 }
        while end > start, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
        return UnsafeBufferPointer(rebasing: bytes[start..<end])
    }
}
