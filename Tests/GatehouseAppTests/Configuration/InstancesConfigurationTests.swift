import GateAccess
import GateCore
import GateHTTP
import GateProxy
import Testing

@testable import GatehouseApp

@Suite("Sites of instances in a configuration")
struct InstancesConfigurationTests {
    @Test("have defaults of their own, also with the API elsewhere")
    func defaults() throws {
        let toml = "[api]\nprefix = \"/_gate\"\n[[site]]\ninstances = [\"http://10.0.0.1:8080\", \"http://10.0.0.2:8080\"]\n"
        let route = try #require(try load(toml).get().configuration.routes.first)
        guard case .instances(let rules) = route.target else {
            Issue.record("\(route.target)")
            return
        }
        #expect(rules.servers.count == 2 && rules.balance == .leastConnections)
        #expect(rules.health?.path == "/_gate/api/v1/health/ready" && rules.health?.interval == .seconds(1))
        #expect(route.name == "instances of *" && route.limits.isEmpty && route.bodyLimit == nil && !route.addsSecurityHeaders)
    }

    @Test("stand beside the sites of applications, and may name this server")
    func beside() throws {
        let toml = """
            public_url = "http://app.example.com"
            [listen]
            http = ["127.0.0.1:8080"]
            [[site]]
            host = "app.example.com"
            instances = ["http://127.0.0.1:8080", "http://127.0.0.1:8081"]
            balance = "round-robin"
            health_interval = "5s"
            [[site]]
            host = "app.example.com"
            upstream = "http://127.0.0.1:3000"
            """
        let routes = try load(toml).get().configuration.routes
        guard case .instances(let rules) = routes[0].target else {
            Issue.record("\(routes[0].target)")
            return
        }
        #expect(rules.balance == .roundRobin && rules.health?.interval == .seconds(5))
        #expect(routes.map(\.name) == ["instances of app.example.com", "app.example.com"])
    }

    @Test(
        "take what means something for them alone",
        arguments: [
            ("access = \"public\"", "3:1: access means nothing for a site with instances: remove it"),
            ("limits = []", "3:1: limits means nothing for a site with instances: remove it"),
            ("upstream_host = \"upstream\"", "3:1: upstream_host means nothing for a site with instances: remove it"),
            (
                "upstream = \"http://b\"",
                "2:1: the site has upstream and instances: write exactly one of upstream, instances, root, redirect and respond"
            ),
        ])
    func refused(line: String, fault: String) {
        guard case .failure(let faults) = load("[[site]]\ninstances = \"http://a\"\n\(line)") else {
            Issue.record("accepted")
            return
        }
        #expect(faults.faults.map(\.description).contains { $0.hasSuffix(fault) }, "\(faults.faults.map(\.description))")
    }

    @Test func `of one name twice are refused`() {
        guard case .failure(let faults) = load("[[site]]\ninstances = [\"http://a\", \"http://a\"]") else {
            Issue.record("accepted")
            return
        }
        #expect(faults.faults.map(\.description).contains { $0.contains("instances names one server twice") })
    }
}
