import GateHTTP

/// Where connections lead, and which of them are alike: a kept one serves requests for its own destination only.
struct Destination: Hashable, Sendable, CustomStringConvertible {
    enum Place: Hashable, Sendable {
        case tcp(host: String, port: Int)
        case unix(path: String)
    }

    let place: Place
    let scheme: Request.Scheme
    /// Part of the identity: a connection to a private address, made for a target that the operator configured, must not serve a
    /// request that may reach public ones only.
    let egress: EgressRule
    /// What an endpoint wants other than the client has it; part of the identity by the endpoint's number.
    let rules: Rules?

    struct Rules: Hashable, Sendable {
        let endpoint: Int
        let serverName: String?
        let tls: TLSClientConfiguration?
        let connections: Int
        let connectTime: Duration
        let keepAliveTime: Duration

        static func == (left: Rules, right: Rules) -> Bool { left.endpoint == right.endpoint }
        func hash(into hasher: inout Hasher) { hasher.combine(endpoint) }
    }

    /// Where something else than HTTP is spoken.
    init(_ place: Place, isSecure: Bool, rules: Rules) {
        self.place = place
        scheme = isSecure ? .https : .http
        egress = .any
        self.rules = rules
    }

    init(_ url: HTTPURL, socket: String?, egress: EgressRule, rules: Rules? = nil) {
        place = socket.map { .unix(path: $0) } ?? .tcp(host: url.host, port: url.port)
        scheme = url.scheme
        self.egress = egress
        self.rules = rules
    }

    /// For messages: `example.com:443`, or the path of a Unix socket.
    var description: String { Self.description(of: place) }

    static func description(of place: Place) -> String {
        switch place {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): path
        }
    }

    /// The name that a certificate must be for; `nil` without TLS.
    var serverName: String? {
        guard scheme == .https else { return nil }
        if let name = rules?.serverName { return name }
        return switch place {
        case .tcp(let host, _): host
        case .unix: "localhost"
        }
    }
}
