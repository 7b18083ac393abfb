import GateCore
import GateHTTP

extension ValueSyntax where Value == String {
    /// An e-mail address, as `mailto:` carries it (RFC 8555 §7.3, RFC 6068).
    static var contact: ValueSyntax {
        .text("e-mail address", example: "admin@example.com") { text throws(InvalidValue) in
            let parts = text.split(separator: "@", omittingEmptySubsequences: false)
            let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !",;:<>()[]\\\"?&%".utf8.contains($0) }
            guard parts.count == 2, !parts[0].isEmpty, HostName.isValid(parts[1]), isPlain else {
                throw InvalidValue("\"\(text)\" is no e-mail address", cure: "write one, such as admin@example.com")
            }
            return text
        } print: {
            $0
        }
    }

    /// A name of a certificate. Whether an authority would certify it is asked where one is used.
    static var certificateName: ValueSyntax {
        .text("name", example: "app.example.com") { text throws(InvalidValue) in
            let name = text.lowercased()
            return name.hasSuffix(".") ? String(name.dropLast()) : name
        } print: {
            $0
        }
    }

    /// A name that somebody else gave: visible characters of ASCII, and spaces between them.
    static var label: ValueSyntax {
        .text("text", example: "ISRG Root X1") { text throws(InvalidValue) in
            guard text.utf8.count <= 256, text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
                throw InvalidValue("is too long, or holds characters beyond ASCII", cure: "write it as the authority does")
            }
            return text
        } print: {
            $0
        }
    }
}

extension ValueSyntax where Value == HTTPURL {
    /// An authority's directory: HTTPS only (RFC 8555 §6.1).
    static var directory: ValueSyntax {
        .text("URL", example: Configuration.ACME.letsEncrypt.description) { text throws(InvalidValue) in
            guard let url = HTTPURL(text), url.scheme == .https else {
                throw InvalidValue(
                    "\"\(text)\" is no https address", cure: "write the authority's directory, such as \(Configuration.ACME.letsEncrypt)")
            }
            return url
        } print: {
            $0.description
        }
    }
}

extension ValueSyntax where Value == Secret {
    /// A MAC key in base64url; the padding and the alphabet of base64, which some authorities show, are understood.
    static var macKey: ValueSyntax {
        .text("secret", example: "…") { text throws(InvalidValue) in
            let plain = text.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }.filter { $0 != "=" }
            guard let key = Base64URL.decode(String(plain).utf8), key.count >= 16 else {
                throw InvalidValue("is no base64url text of 16 bytes or more", cure: "copy it whole, as the authority shows it")
            }
            return Secret(key)
        } print: { _ in
            "<redacted>"
        }
    }
}
