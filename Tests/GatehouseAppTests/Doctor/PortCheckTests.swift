import GateCore
import Testing

@testable import GatehouseApp

@Suite("Doctor: who is at a port")
struct PortCheckTests {
    struct Facts: Sendable {
        var outcome: Visit.Outcome
        var isLocal = true
        var holder: PortHolders.Holder?
        var need = PortCheck.Need.validation
        var server = ServerState.running(process: 1)
        var isConfigured = true
        var address = "198.51.100.7"
    }

    static let nginx = PortHolders.Holder(process: 812, name: "nginx", user: 0)

    static let situations: [Situation<Facts>] = [
        Situation("this server", Facts(outcome: .ours), Verdict(.ok, "198.51.100.7:80 answers, and it is this server")),
        Situation("this server, over IPv6", Facts(outcome: .ours, address: "2001:db8::7"), Verdict(.ok, "[2001:db8::7]:80 answers")),
        Situation(
            "nginx has the port here",
            Facts(outcome: .other(Visit.Stranger(status: 404, server: "nginx/1.22.1")), holder: nginx),
            Verdict(
                .problem, "answers with status 404 (Server: nginx/1.22.1), and it is not this server",
                "nginx (process 812) has port 80 here")),
        Situation(
            "nginx: how to let it pass requests on",
            Facts(outcome: .other(Visit.Stranger(status: 404, server: "nginx")), holder: nginx),
            Verdict(.problem, "nginx", "location /.well-known/ { proxy_pass")),
        Situation(
            "Apache", Facts(outcome: .other(Visit.Stranger(status: 200, server: "Apache/2.4.57 (Debian)"))),
            Verdict(.problem, "Apache/2.4.57", "systemctl disable --now apache2")),
        Situation(
            "Caddy, which redirects",
            Facts(outcome: .other(Visit.Stranger(status: 308, server: "Caddy", location: "https://app.example/"))),
            Verdict(.problem, "sends clients to https://app.example/", "systemctl disable --now caddy")),
        Situation(
            "Cloudflare's proxy in front", Facts(outcome: .other(Visit.Stranger(status: 301, server: "cloudflare")), isLocal: false),
            Verdict(.problem, "cloudflare", "turn the orange cloud off")),
        Situation(
            "another program, which this user may not see",
            Facts(outcome: .other(Visit.Stranger(status: 200)), holder: PortHolders.Holder(process: nil, name: nil, user: 0)),
            Verdict(.problem, "status 200, and it is not this server", "a process of user root has port 80")),
        Situation(
            "another machine", Facts(outcome: .other(Visit.Stranger(status: 200)), isLocal: false),
            Verdict(.problem, "it is not this server", "another machine's, or that of a proxy in front")),
        Situation(
            "the key cannot be read",
            Facts(outcome: .other(Visit.Stranger(status: 200)), server: .unreadableKey("no permission to use admin.sock")),
            Verdict(.warning, "whether it is this server cannot be told: no permission", "as the user that owns the data folder")),
        Situation(
            "nobody, and nothing is configured to be there", Facts(outcome: .refused, isConfigured: false),
            Verdict(.problem, "refuses connections: nobody listens there", "add \":80\" to listen.http")),
        Situation(
            "nobody, and the server does not run", Facts(outcome: .refused, server: .stopped),
            Verdict(.problem, "nobody listens", "Start gatehouse")),
        Situation("nobody, though the server runs", Facts(outcome: .refused), Verdict(.problem, "nobody listens", "listens elsewhere")),
        Situation(
            "nobody at another machine's address", Facts(outcome: .refused, isLocal: false),
            Verdict(.problem, "nobody listens", "forward it to this machine")),
        Situation("a firewall here", Facts(outcome: .timedOut), Verdict(.problem, "neither taken nor refused", "ufw allow 80/tcp")),
        Situation(
            "a firewall on the way", Facts(outcome: .timedOut, isLocal: false),
            Verdict(.problem, "does not answer", "the provider's firewall (security group)")),
        Situation(
            "a firewall on the way to a port that is not needed", Facts(outcome: .timedOut, isLocal: false, need: .convenience),
            Verdict(.warning, "does not answer")),
        Situation(
            "no IPv6 on this machine", Facts(outcome: .unreachable("Network is unreachable"), isLocal: false, address: "2001:db8::9"),
            Verdict(.skipped, "This machine has no way to IPv6 addresses")),
        Situation(
            "no route", Facts(outcome: .unreachable("No route to host"), isLocal: false), Verdict(.problem, "No route to host", "routes")),
        Situation(
            "something that is no web server", Facts(outcome: .noHTTP("what it sends is no HTTP response"), holder: nginx),
            Verdict(.problem, "does not speak HTTP", "process 812")),
        Situation(
            "plain HTTP where TLS should be", Facts(outcome: .noTLS("the peer speaks plain HTTP, not TLS")),
            Verdict(.problem, "does not speak TLS", "redirects it")),
    ]

    @Test("A table of situations", arguments: situations)
    func situation(_ situation: Situation<Facts>) {
        let facts = situation.facts
        let visit = Visit(address: IPAddress(facts.address)!, port: 80, isTLS: false, outcome: facts.outcome)
        let check = PortCheck(
            name: "app.example", visit: visit, need: facts.need, isLocal: facts.isLocal, holder: facts.holder, server: facts.server,
            key: "listen.http", isConfigured: facts.isConfigured)
        expect([check.finding()], situation.verdicts)
    }

    @Test("What strangers say of themselves cannot write to a terminal")
    func escapeSequences() {
        let visit = Visit(
            address: IPAddress("198.51.100.7")!, port: 80, isTLS: false,
            outcome: .other(Visit.Stranger(status: 200, server: "a\u{1B}[2Jb\u{202E}")))
        let finding = PortCheck(
            name: "app.example", visit: visit, need: .clients, isLocal: true, holder: nil, server: .stopped, key: "listen.http",
            isConfigured: true
        ).finding()
        #expect(finding.seen.contains("a?[2Jb?"))
    }
}
