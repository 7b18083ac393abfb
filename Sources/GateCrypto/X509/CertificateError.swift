/// Why a certificate or its key is not taken. Written for the operator who named the file; never holds key material.
package enum CertificateError: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is no certificate in it: no `BEGIN CERTIFICATE`.
    case noCertificate
    /// What stands there is no X.509 certificate, or one that cannot be understood. `position` counts from one.
    case malformedCertificate(position: Int, reason: String)
    /// More than a server may hold.
    case tooLarge(reason: String)
    /// The certificate at `position` (from one) is not issued by the one that follows.
    case wrongOrder(position: Int, reason: String)
    /// There is no private key in it.
    case noKey
    case malformedKey(reason: String)
    /// The key is locked with a passphrase, which a server that starts by itself cannot ask for.
    case encryptedKey
    /// RSA below 2048 bits, or a curve that no browser takes.
    case weakKey(reason: String)
    /// The private key belongs to another certificate.
    case keyMismatch(reason: String)
    /// A name is no host name, wildcard or address.
    case invalidName(String)
    /// OpenSSL failed where nothing should.
    case cryptography(CryptoError)

    package var description: String {
        switch self {
        case .noCertificate: "there is no certificate in it: a PEM file has lines that say BEGIN CERTIFICATE"
        case .malformedCertificate(let position, let reason): "certificate \(position) cannot be read: \(reason)"
        case .tooLarge(let reason): reason
        case .wrongOrder(let position, let reason):
            "the chain is in the wrong order at certificate \(position): \(reason); put the server's own certificate first, then each issuer"
        case .noKey: "there is no private key in it: a PEM file has a line that says BEGIN PRIVATE KEY"
        case .malformedKey(let reason): "the private key cannot be read: \(reason)"
        case .encryptedKey: "the private key is locked with a passphrase: unlock it with openssl pkey -in OLD -out NEW"
        case .weakKey(let reason): "the key is too weak: \(reason)"
        case .keyMismatch(let reason): "key and certificate do not belong together: \(reason)"
        case .invalidName(let name): "'\(name)' is no host name and no address"
        case .cryptography(let error): "\(error)"
        }
    }
}
