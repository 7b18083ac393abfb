/// What the connections of a server share, whatever certificate they are answered with.
package final class TLSServerContext: Sendable {
    /// A certificate, and whether it is that of a challenge, which speaks `acme-tls/1` only.
    package struct Choice: Sendable {
        package var identity: TLSServerIdentity
        package var isChallenge: Bool

        package init(_ identity: TLSServerIdentity, isChallenge: Bool = false) {
            self.identity = identity
            self.isChallenge = isChallenge
        }
    }

    let tickets: SessionTickets
    let protocols: [[UInt8]]
    let choose: @Sendable (TLSClientHello) -> Choice?
    package let search: Search?

    package typealias Search = @Sendable (TLSClientHello) async -> Choice?

    /// - Parameters:
    ///   - protocols: for ALPN, the preferred first.
    ///   - search: where challenges are looked for that `choose` does not know. The handshake waits for it.
    ///   - choose: asked in the middle of each handshake, on its thread; `nil` refuses the name.
    package init(
        protocols: [String], tickets: SessionTickets = SessionTickets(), search: Search? = nil,
        choose: @escaping @Sendable (TLSClientHello) -> Choice?
    ) {
        self.protocols = protocols.map { Array($0.utf8) }
        self.tickets = tickets
        self.search = search
        self.choose = choose
    }
}
