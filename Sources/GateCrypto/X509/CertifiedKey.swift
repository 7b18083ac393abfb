package import GateCore

/// A certificate chain with the private key of its leaf, as files and the ACME protocol carry them.
package struct CertifiedKey: Sendable {
    /// PEM (RFC 7468), the leaf first, then its issuers.
    package let chain: [UInt8]
    /// PEM, PKCS #8 or the traditional forms.
    package let key: Secret

    package init(chain: [UInt8], key: Secret) {
        self.chain = chain
        self.key = key
    }
}
