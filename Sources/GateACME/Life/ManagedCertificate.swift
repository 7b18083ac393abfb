import GateCore
package import GateCrypto

/// A certificate that is to be had and kept: what the configuration asks for.
package struct ManagedCertificate: Hashable, Sendable {
    /// In lower case, each once, in the order of the configuration; at least one.
    package let names: [String]
    /// Of the private keys that are made for it: P-256, or RSA of 2048, 3072 or 4096 bits.
    package let keyAlgorithm: CertificateKey.Algorithm

    /// - Throws: ``CertificateError/invalidName(_:)``, also where there is no name.
    package init(names: [String], keyAlgorithm: CertificateKey.Algorithm = .p256) throws(CertificateError) {
        var known: [String] = []
        for name in names {
            let written = try CertificateName(name).description
            if !known.contains(written) { known.append(written) }
        }
        guard !known.isEmpty else { throw .invalidName("") }
        self.names = known
        self.keyAlgorithm = keyAlgorithm
    }

    /// What its files and its history are called by: the first name and a hash of them all, whatever their order.
    package var id: String {
        let hash = SHA256.hash(Array(names.sorted().joined(separator: "\n").utf8))
        // An IPv6 address holds colons, which some tools take for a port.
        return String(names[0].map { $0 == ":" ? "_" : $0 }.prefix(100)) + "-" + Hex.encode(hash.prefix(4))
    }
}
