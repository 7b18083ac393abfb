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
        guard let pointer = SSL_get1_peer_certificate(ssl) else { return nil }
        let leaf = try? Certificate(X509Handle(owning: pointer), position: 1)
        ERR_clear_error()
        let result = SSL_get_verify_result(ssl)
        return PresentedCertificate(
            leaf: leaf,
            fault: result == Int(X509_V_OK)
                ? nil : CertificateFault(verifyResult: result, names: leaf?.names.map(\.description) ?? []))
    }
}
