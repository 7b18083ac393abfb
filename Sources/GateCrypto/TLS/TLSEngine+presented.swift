import COpenSSL
package import GateCore

/// What a server has shown in its handshake, whether it is to be trusted or not.
package struct PresentedCertificate: Sendable {
    /// The server's own; `nil` where it cannot be read.
    package let leaf: Certificate?
    /// Why a client would turn away; `nil`: it would not.
    package let fault: CertificateFault?
}

extension TLSClientContext {
    /// Takes any certificate, to look at it: nothing of worth may be sent over such a connection. The system's authorities still say what
    /// other clients would think of it.
    package convenience init(lookingOnlyAt time: any TimeSource) throws(CryptoError) {
        try self.init(time: time)
        SSL_CTX_set_verify(context.pointer, SSL_VERIFY_NONE, nil)
    }
}

extension TLSEngine {
    /// `nil` before the server has shown one. With a context that takes any certificate, after the handshake.
    package var presented: PresentedCertificate? {
        guard let certificate = SSL_get1_peer_certificate(ssl) else { return nil }
        defer { X509_free(certificate) }
        var encoded: UnsafeMutablePointer<UInt8>?
        let size = i2d_X509(certificate, &encoded)
        defer { CRYPTO_free(encoded, #file, #line) }
        let der = size > 0 ? Array(UnsafeBufferPointer(start: encoded, count: Int(size))) : []
        let result = SSL_get_verify_result(ssl)
        ERR_clear_error()
        return PresentedCertificate(
            leaf: try? Certificate(der: der),
            fault: result == Int(X509_V_OK)
                ? nil : CertificateFault(verifyResult: result, names: TLSServerIdentity.alternativeNames(certificate)))
    }
}
