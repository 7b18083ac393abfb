package import GateCrypto

/// Where certificates are served from.
package protocol CertificateInstalling: Sendable {
    /// All that there are, in the place of those before: the next handshake finds them, live connections stay (CHECKLIST 39). Each
    /// serves the names of its leaf; the first counts where two have the same.
    func install(_ certificates: [CertifiedKey]) async
}
