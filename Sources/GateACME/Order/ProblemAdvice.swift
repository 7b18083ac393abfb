import GateCore

/// What an authority's problem means for the person who runs this server, and what to do about it.
package struct ProblemAdvice: Hashable, Sendable {
    /// A clause that follows "NAME: ".
    package let meaning: String
    /// One or more whole sentences.
    package let action: String
    /// `false` where nothing changes until somebody changes something.
    package let isWorthRetrying: Bool

    private init(_ meaning: String, _ action: String, isWorthRetrying: Bool = true) {
        self.meaning = meaning
        self.action = action
        self.isWorthRetrying = isWorthRetrying
    }

    /// What the authority says when it looked at a name (RFC 8555 §6.7, §8).
    ///
    /// - Parameter caaIdentities: of the authority's directory: what a CAA record must hold to allow it.
    package static func onName(_ name: String, _ problem: ProblemDocument?, challenge: ChallengeKind?, caaIdentities: [String] = [])
        -> ProblemAdvice
    {
        let port = challenge == .tlsALPN01 ? 443 : 80
        return switch problem?.kind {
        case "dns":
            ProblemAdvice(
                "the authority got no address for it from DNS",
                "Check that \(name) has an A or AAAA record, that its name servers answer from the internet, and that DNSSEC is in order.")
        case "connection":
            ProblemAdvice(
                "the authority could not connect to it on port \(port)",
                "Open port \(port) to the internet: firewall, router and provider. If \(name) has an AAAA record, the same goes for IPv6; "
                    + "remove the record if this server has no IPv6.")
        case "unauthorized", "incorrectResponse":
            ProblemAdvice(
                "something else than this server answered there on port \(port)",
                "Check that every A and AAAA record of \(name) is an address of this server. "
                    + (port == 80
                        ? "A proxy or CDN in front of it must pass /.well-known/acme-challenge/ on."
                        : "A proxy or CDN in front of it must pass TLS through, or port 80 be used instead."))
        case "tls":
            ProblemAdvice(
                "the TLS handshake with it failed",
                "Check that nothing in front of this server ends TLS for \(name), and that port 443 of every address it has leads here.")
        case "caa":
            ProblemAdvice(
                "its CAA record does not allow this authority",
                caaIdentities.first.map { "Add the DNS record \(name) CAA 0 issue \"\($0)\", or remove the CAA records." }
                    ?? "Allow this authority in the CAA record of \(name) or of the domain above it, or remove it.", isWorthRetrying: false)
        case "rejectedIdentifier", "unsupportedIdentifier":
            ProblemAdvice(
                "the authority gives no certificate for it", "Take \(name) out of the names, or use another authority.",
                isWorthRetrying: false)
        case "rateLimited":
            ProblemAdvice("the authority has had too many requests for it", "Wait: the next attempt is made when it allows one.")
        default:
            ProblemAdvice(
                "the authority could not prove that this server answers for it",
                "Run gatehouse doctor, which looks at \(name) from here. It is tried again.")
        }
    }

    /// What the authority says of a request, its account or itself (RFC 8555 §6.7).
    package static func onRequest(_ problem: ProblemDocument, termsOfService: String? = nil) -> ProblemAdvice {
        switch problem.kind {
        case "rateLimited":
            ProblemAdvice(
                "it has had too many requests from this account or for these names", "Wait: the next attempt is made when it allows one.")
        case "externalAccountRequired":
            ProblemAdvice(
                "it wants the account bound to one that you have with it",
                "Get a key id and an HMAC key from the authority, and set acme.eab.key_id and acme.eab.hmac_key.", isWorthRetrying: false)
        case "userActionRequired":
            ProblemAdvice(
                "it wants you to do something first",
                (problem.instance ?? termsOfService).map { "Visit \($0), and then run gatehouse cert renew." }
                    ?? "Log in to the authority's website, and then run gatehouse cert renew.", isWorthRetrying: false)
        case "invalidContact", "unsupportedContact":
            ProblemAdvice("it does not accept the e-mail address", "Correct acme.email.", isWorthRetrying: false)
        case "rejectedIdentifier", "unsupportedIdentifier":
            ProblemAdvice(
                "it gives no certificate for one of the names", "Take the name out, or use another authority.", isWorthRetrying: false)
        case "caa":
            ProblemAdvice(
                "a CAA record does not allow it", "Allow this authority in the CAA record, or remove it.", isWorthRetrying: false)
        case "unauthorized":
            ProblemAdvice(
                "it does not let this account do that",
                "The account may have been deactivated: move its file away, and a new one is registered.", isWorthRetrying: false)
        case "accountDoesNotExist":
            ProblemAdvice("it does not know the account", "The account is registered anew with the next attempt.")
        case "invalidProfile":
            ProblemAdvice("it has no such profile", "Correct acme.profile, or leave it out.", isWorthRetrying: false)
        case "badCSR":
            ProblemAdvice(
                "it does not accept the certificate request", "Another type of key, or fewer names, may be accepted.",
                isWorthRetrying: false)
        case "badPublicKey", "badSignatureAlgorithm":
            ProblemAdvice("it does not accept a key", "Another type of key may be accepted.", isWorthRetrying: false)
        case "malformed":
            ProblemAdvice(
                "it did not understand the request", "This is a fault of Gatehouse or of the authority: please report it.",
                isWorthRetrying: false)
        case "badNonce":
            ProblemAdvice("it accepted none of the nonces that it gave", "The fault is on its side. It is tried again.")
        case "serverInternal":
            ProblemAdvice("it has a fault of its own", "There is nothing to do here. It is tried again.")
        default:
            ProblemAdvice("it refused", "If this stays, look at the authority's status page. It is tried again.")
        }
    }
}
