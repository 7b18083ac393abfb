package import GateHTTP

/// The servers of an application, and how requests reach them.
package struct UpstreamRules: Hashable, Sendable {
    package struct Server: Hashable, Sendable {
        package var url: HTTPURL
        /// The path of a Unix socket, where it is one.
        package var socket: String?

        package init(url: HTTPURL, socket: String? = nil) {
            self.url = url
            self.socket = socket
        }
    }

    package enum Balance: String, CaseIterable, Sendable {
        case roundRobin = "round-robin"
        case leastConnections = "least-connections"
    }

    package enum Authority: Hashable, Sendable {
        /// The client's own `Host`.
        case client
        /// That of the server's URL.
        case upstream
        case fixed(String)
    }

    /// Asking each server for its health; a status from 200 to 399 is good.
    package struct HealthCheck: Hashable, Sendable {
        package var path: String
        package var interval: Duration = .seconds(10)
        package var timeout: Duration = .seconds(2)

        package init(path: String) { self.path = path }
    }

    package var servers: [Server]
    package var balance = Balance.roundRobin
    package var authority = Authority.client
    /// Taken off the path before it goes upstream, and put before it.
    package var strippedPrefix: String?
    package var addedPrefix: String?
    package var health: HealthCheck?
    /// After so many failures in ``failWindow`` a server is left out for as long. Zero: never.
    package var maxFailures = 3
    package var failWindow: Duration = .seconds(10)
    /// How many other servers (or the same, where there is one) an idempotent request may be tried on.
    package var retries = 1
    package var connectTime: Duration = .seconds(5)
    /// From the request to the head of the response.
    package var responseTime: Duration = .seconds(60)
    /// Between two parts of a body or a tunnel, in either direction.
    package var idleTime: Duration = .seconds(300)
    /// Connections to one server, for each event loop. A client that sends or reads slowly holds one for as long, so that few of them would
    /// let few such clients keep everybody else out (CHECKLIST 57).
    package var maxConnections = 4096
    /// The path of a PEM file with the authorities that its certificates must come from; `nil` for the system's.
    package var authoritiesFile: String?

    package init(servers: [Server]) { self.servers = servers }
}

/// A folder of files.
package struct FolderRules: Hashable, Sendable {
    /// Absolute.
    package var root: String
    package var index = ["index.html"]
    /// What answers, with 200, for a path without a file; a path within the folder, such as `/index.html`.
    package var fallback: String?
    /// Whether `FILE.br` and `FILE.gz` stand in for `FILE`.
    package var precompressed = true
    /// The value of `Cache-Control`; `nil` leaves it out.
    package var cacheControl: String?
    /// Taken off the path before a file is looked for.
    package var strippedPrefix: String?

    package init(root: String) { self.root = root }
}

package struct RedirectRules: Hashable, Sendable {
    /// Where to; `{uri}` stands for the path and query that was asked for, `{host}` for the host.
    package var location: String
    package var status = 308

    package init(location: String) { self.location = location }
}

package struct FixedAnswer: Hashable, Sendable {
    package var status = 200
    package var contentType = "text/plain; charset=utf-8"
    package var body = ""

    package init() {}
}
