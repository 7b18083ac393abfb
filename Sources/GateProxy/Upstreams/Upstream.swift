package import GateCore
package import GateCrypto
import GateHTTP
package import GateNet
package import Logging

/// The servers of one site as requests reach them: connections, the choice among them, and what the operator is told of their health.
package final class Upstream: Sendable {
    /// The site's.
    package let name: String
    let rules: UpstreamRules
    let group: UpstreamGroup
    /// One for each server, in their order, as are ``paths``.
    let endpoints: [Endpoint]
    let paths: [PathRewrite]
    let time: any TimeSource
    /// For what is said of single requests; how servers come and go is said in any case.
    let logAllowance = LogAllowance(perSecond: 10)
    private let log: Logger

    /// - Parameters:
    ///   - client: one that may reach what the operator configured.
    ///   - authorities: PEM, what `rules.authoritiesFile` holds.
    ///   - previous: of the configuration before, made with the same client: servers that stay keep their health, their numbers, and
    ///     their connections where nothing is said about those anew.
    /// - Throws: where no certificate can be read from `authorities`.
    package init(
        _ rules: UpstreamRules, site name: String, client: HTTPClient, authorities: [UInt8]? = nil, adopting previous: Upstream? = nil,
        time: any TimeSource = SystemTime(), log: Logger
    ) throws(CryptoError) {
        self.name = name
        self.rules = rules
        self.time = time
        self.log = log
        group = UpstreamGroup(rules, adopting: previous?.group)
        let tls: TLSClientConfiguration? =
            if let authorities { try TLSClientConfiguration(authorities: authorities, time: time) } else { nil }
        endpoints = rules.servers.map { server in
            var settings = EndpointSettings(server.url)
            settings.socket = server.socket
            settings.tls = tls
            settings.connectTime = rules.connectTime
            settings.connections = rules.maxConnections
            return client.endpoint(settings)
        }
        paths = rules.servers.map { server in
            PathRewrite(stripped: rules.strippedPrefix, added: [String(server.url.target.path), rules.addedPrefix])
        }
    }

    /// How the servers are, in the order of the configuration.
    package var reports: [UpstreamReport] {
        let now = time.monotonic()
        return group.servers.map { server in
            UpstreamReport(
                server: server.name, requests: server.requests, failures: server.failures, inFlight: server.inFlight,
                isHealthy: server.isHealthy(at: now))
        }
    }

    func succeeded(_ index: Int) {
        guard let change = group.servers[index].succeeded() else { return }
        tell(change, index)
    }

    func failed(_ index: Int, _ cause: String) {
        guard let change = group.servers[index].failed(at: time.monotonic(), group.tolerance) else { return }
        tell(change, index, cause)
    }

    func checked(_ index: Int, fault: String?) {
        guard let change = group.servers[index].checked(isGood: fault == nil) else { return }
        tell(change, index, fault)
    }

    private func tell(_ change: ServerHealth.Change, _ index: Int, _ cause: String? = nil) {
        var metadata: Logger.Metadata = ["site": "\(name)", "server": "\(group.servers[index].name)"]
        if let cause { metadata["error"] = "\(cause)" }
        switch change {
        case .left: log.warning("A server of an application is left out", metadata: metadata)
        case .returned: log.notice("A server of an application is back", metadata: metadata)
        }
    }
}
