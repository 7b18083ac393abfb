import GateNet

/// A port at which a name must lead here, and why.
struct PortPlan: Hashable {
    var port: Int
    var isTLS: Bool
    var need: PortCheck.Need
    /// Where it is configured.
    var key: String
    var isConfigured: Bool

    /// The ports of `name`, in rising order.
    ///
    /// - Parameters:
    ///   - httpPort: where authorities ask for HTTP-01: 80 (RFC 8555 §8.3).
    ///   - httpsPort: where they look for TLS-ALPN-01: 443 (RFC 8737 §3).
    static func ports(of name: String, _ configuration: Configuration, httpPort: Int, httpsPort: Int) -> [PortPlan] {
        let url = configuration.publicURL
        let listensTLS = configuration.listen.https.compactMap(\.port)
        let listensPlain = configuration.listen.http.compactMap(\.port)
        func plan(_ port: Int, isTLS: Bool, _ need: PortCheck.Need) -> PortPlan {
            PortPlan(
                port: port, isTLS: isTLS, need: need, key: isTLS ? "listen.https" : "listen.http",
                isConfigured: (isTLS ? listensTLS : listensPlain).contains(port))
        }
        var plans: [PortPlan] = []
        if name == url.host { plans.append(plan(url.port, isTLS: url.scheme == .https, .clients)) }
        if configuration.tls.mode == .acme, configuration.acme.domains.contains(name) {
            let challenges = configuration.acme.challenges
            // Where one of the two is enough, the one that clients need anyway is looked at first.
            let needsPlain = challenges.contains(.http01) && !(challenges.contains(.tlsALPN01) && listensTLS.contains(httpsPort))
            plans.append(plan(httpPort, isTLS: false, needsPlain ? .validation : .convenience))
            plans.append(plan(httpsPort, isTLS: true, challenges.contains(.http01) ? .clients : .validation))
        } else if configuration.tls.mode != .off, listensPlain.contains(httpPort) {
            plans.append(plan(httpPort, isTLS: false, .convenience))
        }
        var seen: Set<Int> = []
        return plans.filter { seen.insert($0.port).inserted }.sorted { $0.port < $1.port }
    }
}
