package import GateCrypto
import Synchronization

/// The certificates of a server by name, exchanged while it serves: the next handshake sees the new ones, connections stay as they are,
/// and sessions of before can be resumed.
///
/// A name is looked up as it is, then as `*.` and its parent; what is found under neither, or names nobody, gets the fallback.
package final class TLSCertificates: Sendable {
    private final class Table: Sendable {
        let current: Mutex<TLSCertificateTable>
        init(_ table: TLSCertificateTable) { current = Mutex(table) }
    }

    private let table: Table
    private let context: TLSServerContext
    private let oldest: TLSHandshake.Version

    /// - Parameters:
    ///   - fallback: serves every name until ``serve(_:fallback:)`` is called.
    ///   - oldest: the oldest version of TLS that is spoken.
    ///   - protocols: that are spoken, the preferred first.
    ///   - challenges: asked, in the middle of a handshake that offers `acme-tls/1` only, for the certificate of a challenge that was not
    ///     presented here; `nil` where there are no others.
    /// - Throws: where the certificate cannot be used.
    package init(
        fallback: CertifiedKey, oldest: TLSHandshake.Version = .tls12, protocols: [ApplicationProtocol] = [.http2, .http1],
        tickets: SessionTickets = SessionTickets(), challenges: (@Sendable (_ name: String) async -> CertifiedKey?)? = nil
    ) throws(CryptoError) {
        let table = Table(TLSCertificateTable(fallback: try TLSServerIdentity(fallback, oldest: oldest)))
        self.table = table
        self.oldest = oldest
        let search = challenges.map { challenges in
            { @Sendable (hello: TLSClientHello) async -> TLSServerContext.Choice? in
                guard let name = hello.serverName, let found = await challenges(name) else { return nil }
                return (try? TLSServerIdentity(found, oldest: oldest)).map { TLSServerContext.Choice($0, isChallenge: true) }
            }
        }
        context = TLSServerContext(protocols: protocols.map(\.rawValue), tickets: tickets, search: search) { hello in
            table.current.withLock { $0.choice(for: hello) }
        }
    }

    /// Exchanges all certificates at once; presented challenges stay. Each serves the DNS names of its leaf; of several for one name the
    /// first does.
    ///
    /// - Throws: where one of them cannot be used; then all stays as it was.
    package func serve(_ certified: [CertifiedKey], fallback: CertifiedKey) throws(CryptoError) {
        var identities: [TLSServerIdentity] = []
        for pair in certified { identities.append(try TLSServerIdentity(pair, oldest: oldest)) }
        let fallback = try TLSServerIdentity(fallback, oldest: oldest)
        table.current.withLock { [identities] in $0.serve(identities, fallback: fallback) }
    }

    /// From now on a handshake for `name` with the protocol `acme-tls/1`, and no other, is answered with this certificate (RFC 8737 §3).
    package func present(_ certified: CertifiedKey, for name: String) throws(CryptoError) {
        let identity = try TLSServerIdentity(certified, oldest: oldest)
        table.current.withLock { $0.present(identity, for: name) }
    }

    /// Takes a challenge back; nothing where there is none.
    package func withdraw(_ name: String) { table.current.withLock { $0.present(nil, for: name) } }

    func engine(onLoop number: Int) throws(CryptoError) -> TLSEngine {
        try TLSEngine(server: context, first: table.current.withLock { $0.first }, in: CryptoLibrary.ofLoop(number))
    }
}
