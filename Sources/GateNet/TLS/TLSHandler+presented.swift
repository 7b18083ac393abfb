package import GateCrypto

extension TLSHandler {
    /// What the server has shown. To be asked on the channel's event loop, after the handshake.
    package var presented: PresentedCertificate? { engine.presented }
}
