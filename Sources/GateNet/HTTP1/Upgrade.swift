import GateHTTP

/// What a client asks to go over to (RFC 9110 §7.8).
enum Upgrade {
    /// The first protocol of an `Upgrade` field that can be gone over to, in lower case; `nil` for none.
    ///
    /// HTTP/2 without TLS is none: RFC 9113 §3.1 has given it up, and a second HTTP connection within the first, of which only the first
    /// request was looked at, would pass by every rule for the others.
    static func protocolName(in value: UnsafeRawBufferPointer) -> String? {
        for element in value.split(separator: Octet.comma) {
            let name = FieldList.trimmed(UnsafeRawBufferPointer(rebasing: element))
            guard isProtocol(name), !Octet.matches(name, "h2c") else { continue }
            return String(decoding: name.lazy.map(Octet.lowercased), as: UTF8.self)
        }
        return nil
    }

    /// A token, perhaps with a slash and another one.
    static func isProtocol(_ octets: some Collection<UInt8>) -> Bool {
        let parts = octets.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return parts.count <= 2 && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(Octet.isToken) }
    }
}
