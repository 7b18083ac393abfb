package import GateCore

/// What an order asks to be certified (RFC 8555 §9.7.7, RFC 8738 §3).
package struct OrderIdentifier: Hashable, Sendable {
    /// `dns` or `ip`.
    package let type: String
    package let value: String

    /// - Parameter name: a DNS name in its ASCII form, or an address.
    package init(_ name: String) {
        if let address = IPAddress(name) {
            type = "ip"
            value = address.description
        } else {
            type = "dns"
            value = name.lowercased()
        }
    }

    init(_ reader: ObjectReader) throws(MalformedAnswer) {
        type = try reader.text("type")
        // Names are the same in either case, and addresses in several spellings.
        let text = try reader.text("value").lowercased()
        value = type == "ip" ? IPAddress(text)?.description ?? text : text
    }

    package var json: JSON { ["type": .string(type), "value": .string(value)] }
}
