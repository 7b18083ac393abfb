package import GateCore
package import GateCrypto

/// A certificate that was obtained, as it is kept on disk.
package struct StoredCertificate: Sendable {
    package let pair: CertifiedKey
    /// As they were ordered.
    package let names: [String]
    /// Where it was ordered; `nil` where it was put there by hand.
    package let directory: String?
    package let obtainedAt: Timestamp?
    /// Of ``RenewalSchedule``.
    package let draw: Double

    package init(pair: CertifiedKey, names: [String], directory: String?, obtainedAt: Timestamp?, draw: Double) {
        self.pair = pair
        self.names = names
        self.directory = directory
        self.obtainedAt = obtainedAt
        self.draw = draw
    }

    var schedule: RenewalSchedule { RenewalSchedule(notBefore: pair.leaf.notBefore, notAfter: pair.leaf.notAfter, draw: draw) }
}

extension StoredCertificate {
    private static let label = "Gatehouse-Certificate: "

    /// One file for all of it, so that key and certificate change together: a line that says what it is (explanatory text by RFC 7468
    /// §5.2, which readers of PEM pass over), the key, the chain.
    var file: Secret {
        let about: JSON = [
            "names": .array(names.map { .string($0) }), "directory": directory.map { .string($0) } ?? .null,
            "obtained_at": obtainedAt.map { .string($0.rfc3339) } ?? .null,
            "obtained_at_ms": obtainedAt.map { .integer($0.milliseconds) } ?? .null, "draw": .number(draw),
        ]
        let newline = UInt8(ascii: "\n")
        var bytes = Array(Self.label.utf8) + about.bytes + [newline] + pair.key.exposed
        if bytes.last != newline { bytes.append(newline) }
        return Secret(bytes + pair.chain)
    }

    /// - Parameter draw: for a file that was put there by hand, and does not say.
    /// - Throws: where key and chain are not both there and whole.
    init(file: Secret, draw: Double) throws(CertificateError) {
        let bytes = file.exposed
        let first = bytes.prefix { $0 != UInt8(ascii: "\n") }
        let about = first.starts(with: Self.label.utf8) ? try? JSON(parsing: first.dropFirst(Self.label.utf8.count)) : nil
        // Each reader passes over what the other wants.
        let pair = try CertifiedKey(chain: try PEM.encode(try PEM.certificates(bytes)), key: try CertificateKey(pem: file).pkcs8())
        let drawn: Double? =
            switch about?["draw"] {
            case .number(let value): value
            case .integer(let value): Double(value)
            default: nil
            }
        self.init(
            pair: pair, names: about?["names"]?.array?.compactMap(\.string) ?? pair.leaf.names.map(\.description),
            directory: about?["directory"]?.string,
            obtainedAt: about?["obtained_at_ms"]?.integer.map { Timestamp(milliseconds: $0) },
            draw: drawn.map { min(max($0, 0), 1) } ?? draw)
    }
}
