package import GateCore
package import GateCrypto

/// What only the instances of one installation know: secrets in their database are sealed under keys that are derived from it.
package struct ClusterKey: Sendable, Equatable {
    private static let size = 32
    private let master: Secret

    package static func generate(_ entropy: some Entropy) -> ClusterKey { ClusterKey(master: Secret(entropy.bytes(size))) }

    private init(master: Secret) { self.master = master }

    /// Reads 32 bytes in base64, of either alphabet, with or without padding: what `openssl rand -base64 32` writes. `nil` for everything
    /// else.
    package init?(_ text: String) {
        let digits = text.utf8.filter { $0 != UInt8(ascii: "=") }.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            default: byte
            }
        }
        guard let bytes = Base64URL.decode(digits), bytes.count == Self.size, Set(bytes).count >= 8 else { return nil }
        master = Secret(bytes)
    }

    /// As ``init(_:)`` reads it.
    package var text: Secret { Secret(Base64URL.encoded(master.exposed)) }

    /// - Parameter purpose: what is sealed, such as `certificates`.
    package func sealing(_ purpose: String) -> SealingKey { SealingKey(master, purpose: purpose) }

    /// Tells this key from others, and nothing of it.
    package var check: [UInt8] { HKDFSHA256.derive(master, salt: [], info: "gatehouse cluster key check", size: 16).exposed }

    /// For ``DoctorProof``: every instance gives the same.
    var doctorSecret: Secret { HKDFSHA256.derive(master, salt: [], info: "gatehouse doctor") }

    /// Tells whether others have the same value, to those alone who know the key.
    func fingerprint(of value: Secret) -> String {
        let key = HKDFSHA256.derive(master, salt: [], info: "gatehouse setting")
        return Hex.encode(HMACSHA256.authenticate(value.exposed, key: key).prefix(8))
    }
}
