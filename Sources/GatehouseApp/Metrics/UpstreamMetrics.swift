import GateProxy

extension MetricsRegistry {
    /// How the servers of applications are.
    ///
    /// - Parameter upstreams: those of the configuration in force.
    func register(upstreams: @escaping @Sendable () -> [Upstream]) {
        func readings(_ kind: Kind, _ name: String, _ help: String, _ value: @escaping @Sendable (UpstreamReport) -> Double) {
            self.readings(kind, name, help) {
                upstreams().flatMap { upstream in
                    upstream.reports.map { report in
                        Reading(
                            labels: [(name: "site", value: upstream.name), (name: "server", value: report.server)], value: value(report))
                    }
                }
            }
        }
        readings(.counter, "gatehouse_upstream_requests_total", "Requests sent to the server, further tries among them.") {
            Double($0.requests)
        }
        readings(.counter, "gatehouse_upstream_failures_total", "Requests that brought no whole response.") { Double($0.failures) }
        readings(.gauge, "gatehouse_upstream_requests_in_flight", "Requests that the server is busy with.") { Double($0.inFlight) }
        readings(.gauge, "gatehouse_upstream_up", "Whether the server is sent requests.") { $0.isHealthy ? 1 : 0 }
    }
}
