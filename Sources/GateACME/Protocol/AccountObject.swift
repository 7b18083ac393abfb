import GateCore

/// An account as the authority shows it (RFC 8555 §7.1.2).
package struct AccountObject: Hashable, Sendable {
    package enum Status: String, Sendable {
        case valid
        /// By its owner.
        case deactivated
        /// By the authority.
        case revoked
    }

    package let status: Status
    package let contact: [String]

    package init(parsing bytes: [UInt8]) throws(MalformedAnswer) {
        let reader = try ObjectReader("account", parsing: bytes)
        status = try reader.status()
        contact = try reader.optional("contact", "array") { $0.array?.compactMap(\.string) } ?? []
    }
}
