/// Nonces that the authority gave and that no request has used (RFC 8555 §6.5). The newest is used first: they grow stale.
struct NoncePool: Sendable {
    private var nonces: [String] = []

    /// More are not in flight at once, and the oldest would be stale.
    static let capacity = 8

    var count: Int { nonces.count }

    mutating func add(_ nonce: String) {
        if nonces.count == Self.capacity { nonces.removeFirst() }
        nonces.append(nonce)
    }

    mutating func take() -> String? { nonces.popLast() }

    /// After one was refused: those that came before it are no better.
    mutating func clear() { nonces.removeAll() }

    /// base64url (RFC 8555 §6.5.1), of a length that a header bears.
    static func isNonce(_ text: String) -> Bool {
        (1...512).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
