import COpenSSL

/// Certificates in PEM (RFC 7468). What stands between the blocks, and blocks of another kind, are passed over.
package enum PEM {
    /// The largest file that is read, in bytes, and the longest chain.
    package static let maximumSize = 1 << 20
    package static let maximumCertificates = 32

    /// In the order of the file; at least one.
    package static func certificates(_ bytes: [UInt8]) throws(CertificateError) -> [Certificate] {
        try sizeAllowed(bytes)
        let source: MemoryBIO
        do throws(CryptoError) { source = try MemoryBIO(bytes) } catch { throw .cryptography(error) }
        var certificates: [Certificate] = []
        while let pointer = source.withPointer({ PEM_read_bio_X509($0, nil, refusePassphrase, nil) }) {
            let handle = X509Handle(owning: pointer)
            guard certificates.count < maximumCertificates else {
                throw .tooLarge(reason: "there are more than \(maximumCertificates) certificates in it")
            }
            certificates.append(try Certificate(handle, position: certificates.count + 1))
        }
        let last = ERR_peek_last_error()
        let error = CryptoError.drained("read PEM")
        // The end of the file is told as "no start line".
        guard ERR_GET_LIB(last) == ERR_LIB_PEM, ERR_GET_REASON(last) == PEM_R_NO_START_LINE else {
            throw .malformedCertificate(position: certificates.count + 1, reason: reason(error))
        }
        guard !certificates.isEmpty else { throw .noCertificate }
        return certificates
    }

    package static func encode(_ certificates: [Certificate]) throws(CertificateError) -> [UInt8] {
        do throws(CryptoError) {
            let target = try MemoryBIO()
            for certificate in certificates {
                let handle = try X509Handle(der: certificate.der)
                let written = target.withPointer { target in handle.withPointer { PEM_write_bio_X509(target, $0) } }
                try check(written, "write PEM")
            }
            return target.bytes()
        } catch {
            throw .cryptography(error)
        }
    }

    static func sizeAllowed(_ bytes: [UInt8]) throws(CertificateError) {
        guard bytes.count <= maximumSize else { throw .tooLarge(reason: "it is larger than \(maximumSize >> 20) MiB") }
    }

    static func reason(_ error: CryptoError) -> String { error.reasons.last ?? error.operation }
}

/// Without this OpenSSL would ask for a passphrase on the terminal. A flag given as `context` tells that it was wanted.
func refusePassphrase(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int32, _ isWriting: Int32, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    context?.assumingMemoryBound(to: Bool.self).pointee = true
    return -1
}
