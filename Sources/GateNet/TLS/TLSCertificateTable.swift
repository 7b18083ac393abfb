import GateCrypto

/// Which certificate answers for which name.
struct TLSCertificateTable: Sendable {
    private var exact: [String: TLSServerIdentity] = [:]
    /// By what follows `*.`.
    private var wildcards: [String: TLSServerIdentity] = [:]
    /// By name; see RFC 8737 §3.
    private var challenges: [String: TLSServerIdentity] = [:]
    private var fallback: TLSServerIdentity

    init(fallback: TLSServerIdentity) { self.fallback = fallback }

    /// What is served most likely.
    var first: TLSServerIdentity { fallback }

    /// Where several are for one name, the first answers. Challenges stay.
    mutating func serve(_ identities: [TLSServerIdentity], fallback: TLSServerIdentity) {
        self.fallback = fallback
        exact = [:]
        wildcards = [:]
        for identity in identities {
            for name in identity.names {
                if name.hasPrefix("*.") {
                    let parent = String(name.dropFirst(2))
                    wildcards[parent] = wildcards[parent] ?? identity
                } else {
                    exact[name] = exact[name] ?? identity
                }
            }
        }
    }

    mutating func present(_ identity: TLSServerIdentity?, for name: String) { challenges[name.lowercased()] = identity }

    /// The answer to a ClientHello. A wildcard stands for one label (RFC 9525 §6.3); who names nobody, or nobody known, gets the fallback.
    func choice(for hello: TLSClientHello) -> TLSServerContext.Choice {
        guard let name = hello.serverName else { return TLSServerContext.Choice(fallback) }
        if hello.wantsChallenge, let identity = challenges[name] { return TLSServerContext.Choice(identity, isChallenge: true) }
        if let identity = exact[name] { return TLSServerContext.Choice(identity) }
        if !wildcards.isEmpty, let dot = name.firstIndex(of: "."), dot != name.startIndex,
            let identity = wildcards[String(name[name.index(after: dot)...])]
        {
            return TLSServerContext.Choice(identity)
        }
        return TLSServerContext.Choice(fallback)
    }
}
