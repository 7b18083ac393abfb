import GateCore

extension ValueSyntax where Value == String {
    static var path: ValueSyntax {
        .text("path", example: "/var/lib/gatehouse") { text throws(InvalidValue) in
            guard !text.isEmpty, !text.utf8.contains(0) else {
                throw InvalidValue("names no folder", cure: "write a path, such as /var/lib/gatehouse")
            }
            guard text.count > 1, text.hasSuffix("/") else { return text }
            return String(text.dropLast())
        } print: {
            $0
        }
    }

    /// `iss` and `aud`: any text, a URI if it holds a colon (RFC 7519 §2, StringOrURI).
    static var claim: ValueSyntax {
        .text("text", example: "https://app.example.com") { text throws(InvalidValue) in
            guard (1...512).contains(text.utf8.count), text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7F }) else {
                throw InvalidValue(
                    "is empty, too long or holds spaces", cure: "write a name or an address, such as https://app.example.com")
            }
            return text
        } print: {
            $0
        }
    }

    /// What may stand in a header field: visible ASCII and spaces (RFC 9110 §5.5).
    static var headerValue: ValueSyntax {
        .text("text", example: "default-src 'self'") { text throws(InvalidValue) in
            guard text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
                throw InvalidValue("holds characters that a header cannot carry", cure: "use ASCII on a single line")
            }
            return text
        } print: {
            $0
        }
    }
}

extension ValueSyntax where Value == ListenAddress {
    static var listenAddress: ValueSyntax {
        .text("listen address", example: "127.0.0.1:8080") { text throws(InvalidValue) in
            try ListenAddress(text)
        } print: {
            $0.description
        }
    }

    static var privateAddress: ValueSyntax {
        listenAddress.checked { address throws(InvalidValue) in
            guard address.isPrivate else {
                throw InvalidValue(
                    "\(address) can be reached from outside", cure: "choose a loopback or private address, such as 127.0.0.1:9090")
            }
        }
    }
}

extension ValueSyntax where Value == IPNetwork {
    static var network: ValueSyntax {
        .text("network", example: "10.0.0.0/8") { text throws(InvalidValue) in
            if let network = IPNetwork(text) { return network }
            let parts = text.split(separator: "/")
            if parts.count == 2, let address = IPAddress(parts[0]), let prefix = Int(parts[1]), 0...(address.isIPv4 ? 32 : 128) ~= prefix {
                throw InvalidValue("has bits set beyond its prefix", cure: "write \(IPNetwork(address, prefix: prefix)) or \(address)")
            }
            throw InvalidValue("is no network", cure: "write an address or a block, such as 10.0.0.0/8 or 2001:db8::/32")
        } print: {
            $0.description
        }
    }
}

extension ValueSyntax where Value == WebOrigin {
    static var origin: ValueSyntax {
        .text("origin", example: "https://app.example.com") { text throws(InvalidValue) in
            try WebOrigin(text)
        } print: {
            $0.description
        }
    }
}

extension ValueSyntax where Value == Secret {
    /// A secret for HMAC-SHA-256: as long as its output at least (RFC 7518 §3.2).
    static var signingSecret: ValueSyntax {
        .text("secret", example: "…") { text throws(InvalidValue) in
            let recipe = "make one with: openssl rand -base64 48"
            guard text.utf8.count >= 32 else {
                throw InvalidValue("has \(text.utf8.count) characters, and 32 are needed", cure: recipe)
            }
            guard Set(text.utf8).count >= 8 else { throw InvalidValue("repeats the same few characters", cure: recipe) }
            return Secret(text)
        } print: { _ in
            "<redacted>"
        }
    }
}

extension ValueSyntax where Value == ClusterKey {
    static var clusterKey: ValueSyntax {
        .text("secret", example: "…") { text throws(InvalidValue) in
            guard let key = ClusterKey(text) else {
                throw InvalidValue("is not 32 random bytes in base64", cure: "make one with: openssl rand -base64 32")
            }
            return key
        } print: { _ in
            "<redacted>"
        }
    }
}
