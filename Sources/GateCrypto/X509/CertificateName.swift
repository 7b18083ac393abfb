package import GateCore

/// What a certificate is for: a subject alternative name (RFC 5280 §4.2.1.6).
package enum CertificateName: Hashable, Sendable, CustomStringConvertible {
    /// In lower case, ASCII (IDNA A-labels), without a final dot; `*.` may stand in front.
    case dns(String)
    case address(IPAddress)

    /// - Throws: ``CertificateError/invalidName(_:)``: neither an address nor a host name of at most 253 characters.
    package init(_ text: some StringProtocol) throws(CertificateError) {
        if let address = IPAddress(text) {
            self = .address(address)
            return
        }
        guard let name = Self.normalised(text) else { throw .invalidName(String(text)) }
        self = .dns(name)
    }

    package var description: String {
        switch self {
        case .dns(let name): name
        case .address(let address): address.description
        }
    }

    /// Labels of 1 to 63 letters, digits, `-` and `_`; the last is not all digits, which would be an address gone wrong.
    static func normalised(_ text: some StringProtocol) -> String? {
        // Beyond ASCII, lowering the case could make letters of what is none: U+212A would become `k`.
        guard (1...253).contains(text.utf8.count), text.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        let name = text.lowercased()
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        for (index, label) in labels.enumerated() {
            if index == 0, label == "*", labels.count > 2 { continue }
            guard (1...63).contains(label.utf8.count), label.utf8.allSatisfy(isLabelCharacter) else { return nil }
        }
        guard labels.last?.utf8.allSatisfy({ (0x30...0x39).contains($0) }) == false else { return nil }
        return name
    }

    private static func isLabelCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }

    /// The bytes of an iPAddress: 4 or 16, in network order.
    static func octets(of address: IPAddress) -> [UInt8] {
        let words: [UInt64] = address.isIPv4 ? [address.low] : [address.high, address.low]
        let bytes = words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) } }
        return address.isIPv4 ? Array(bytes.suffix(4)) : bytes
    }

    static func address(octets: [UInt8]) -> IPAddress? {
        func word(_ bytes: some Sequence<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        switch octets.count {
        case 4: return IPAddress(ipv4: UInt32(word(octets)))
        case 16: return IPAddress(high: word(octets[..<8]), low: word(octets[8...]))
        default: return nil
        }
    }
}
