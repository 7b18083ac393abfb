import GateCore

/// Whether one port of one address of a name leads to this server; and who is there if it does not.
struct PortCheck {
    /// What hangs on the port.
    enum Need: Hashable {
        /// The authority looks there (RFC 8555 §8.3, RFC 8737 §3); no other way is configured.
        case validation
        /// Clients come there: it is the port of `public_url`.
        case clients
        /// Only clients that were given an old address.
        case convenience
    }

    let name: String
    let visit: Visit
    let need: Need
    let isLocal: Bool
    /// Who listens on the port here, if anybody does.
    let holder: PortHolders.Holder?
    let server: ServerState
    /// What is configured, for advice: `listen.http` or `listen.https`.
    let key: String
    /// Whether anything is configured to listen on the port.
    let isConfigured: Bool

    func finding() -> Finding {
        switch visit.outcome {
        case .ours: return say(.ok, "\(visit.place) answers, and it is this server.")
        case .other(let stranger): return other(stranger)
        case .refused: return refused
        case .timedOut:
            return say(
                fault, "\(visit.place) does not answer: connections are neither taken nor refused.",
                isLocal
                    ? "A firewall on this machine drops them. Let port \(visit.port) in: ufw allow \(visit.port)/tcp, or its like in nftables."
                    : "A firewall drops them, or the address is not in use. Let TCP port \(visit.port) in at the provider's firewall (security "
                        + "group) and on this machine; behind a router, forward it to this machine.")
        case .unreachable(let words):
            if !visit.address.isIPv4 {
                return say(
                    .skipped, "\(visit.place) cannot be tried from here: \(words). This machine has no way to IPv6 addresses.",
                    "If this machine is not meant to be reached over IPv6, remove the AAAA record of \(name).")
            }
            return say(fault, "\(visit.place) cannot be reached: \(words).", "See this machine's routes, and that the address is right.")
        case .noHTTP(let words):
            return say(fault, "Something at \(visit.place) takes connections and does not speak HTTP: \(words).", whoIsThere)
        case .noTLS(let words): return say(fault, "\(visit.place) takes connections and does not speak TLS: \(words).", whoIsThere)
        }
    }

    private var fault: Finding.Status { need == .convenience ? .warning : .problem }

    private func say(_ status: Finding.Status, _ seen: String, _ advice: String? = nil) -> Finding {
        Finding("port \(visit.port)", name, status, seen, advice: advice)
    }

    private var refused: Finding {
        let seen = "\(visit.place) refuses connections: nobody listens there."
        if !isLocal {
            return say(
                fault, seen,
                "The address is another machine's, or its router forwards port \(visit.port) nowhere: forward it to this machine, or correct the "
                    + "address in the DNS.")
        }
        if !isConfigured {
            return say(fault, seen, "Nothing is configured to: add \":\(visit.port)\" to \(key), and restart gatehouse.")
        }
        if case .running = server {
            return say(fault, seen, "gatehouse runs, and listens elsewhere: see \(key), and restart it after a change.")
        }
        return say(fault, seen, "Start gatehouse; its log says why if it ends at once.")
    }

    private func other(_ stranger: Visit.Stranger) -> Finding {
        let program = stranger.server.map { " (Server: \($0))" } ?? ""
        if case .unreadableKey(let why) = server {
            return say(
                .warning, "\(visit.place) answers\(program), and whether it is this server cannot be told: \(why).",
                "Run gatehouse doctor as the user that owns the data folder, or as root.")
        }
        let redirect = stranger.location.map { ", and sends clients to \($0)" } ?? ""
        return say(
            fault, "\(visit.place) answers with status \(stranger.status)\(program)\(redirect), and it is not this server.",
            whoIsThere + (Self.hint(stranger).map { " " + $0 } ?? ""))
    }

    private var whoIsThere: String {
        if isLocal {
            guard let holder else {
                return "It is not on this machine's port \(visit.port): a rule of the firewall redirects it (nft list ruleset)."
            }
            return "\(holder) has port \(visit.port) here: stop it, or let it pass requests for \(name) on to gatehouse."
        }
        return
            "The address is another machine's, or that of a proxy in front: let the DNS name this machine, or let the proxy pass requests "
            + "for \(name) on, /.well-known/ among them."
    }

    /// What is known of programs that are often found there.
    private static func hint(_ stranger: Visit.Stranger) -> String? {
        let server = stranger.server?.lowercased() ?? ""
        if server.hasPrefix("nginx") {
            return
                "nginx: systemctl disable --now nginx, or in its server block: location /.well-known/ { proxy_pass http://127.0.0.1:8080; }"
        }
        if server.hasPrefix("apache") {
            return "Apache: systemctl disable --now apache2, or: ProxyPass /.well-known/ http://127.0.0.1:8080/.well-known/"
        }
        if server.hasPrefix("caddy") {
            return "Caddy: systemctl disable --now caddy; it gets certificates by itself, and wants both ports."
        }
        if server.hasPrefix("cloudflare") {
            return
                "Cloudflare's proxy answers for the name: turn the orange cloud off (DNS only) until the certificate has come, and do not let "
                + "it redirect /.well-known/acme-challenge/."
        }
        return nil
    }
}
