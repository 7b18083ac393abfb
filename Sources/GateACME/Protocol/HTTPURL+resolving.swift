import GateHTTP

extension HTTPURL {
    /// What `reference` means here: an absolute URL, or an absolute path (RFC 3986 §4.2). `nil` for other relative forms, which no
    /// authority sends.
    func resolving(_ reference: String) -> HTTPURL? {
        guard reference.hasPrefix("/"), !reference.hasPrefix("//") else { return HTTPURL(reference) }
        return HTTPURL("\(scheme.rawValue)://\(authority)\(reference)")
    }

    /// This URL with one more path segment, as RFC 9773 §4.1 appends a certificate's identifier.
    func appending(segment: String) -> HTTPURL? {
        let separator = target.path.hasSuffix("/") ? "" : "/"
        return HTTPURL("\(scheme.rawValue)://\(authority)\(target.path)\(separator)\(segment)")
    }
}
