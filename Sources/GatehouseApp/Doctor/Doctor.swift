package import GateCore
package import GateHTTP
package import GateNet
import Glibc
package import Logging

/// Says why a certificate did not come, and whatever else stands between clients and this server: looks at everything at once, each part
/// with its own time limit, and tells it in a stable order.
package struct Doctor: Sendable {
    /// Where to look; what differs is for tests, and for operators who look from elsewhere.
    package struct Settings: Sendable {
        package var resolver: ResolverConfiguration
        /// Where authorities ask for HTTP-01.
        package var httpPort = 80
        /// Where they look for TLS-ALPN-01.
        package var httpsPort = 443
        /// Where the name servers of zones are asked.
        package var zonePort = 53
        /// For each part: a name, the authority, the database.
        package var timeLimit = Duration.seconds(20)
        /// Where proc(5) is mounted.
        package var processes = "/proc"

        package init(resolver: ResolverConfiguration) { self.resolver = resolver }

        /// Asks the name servers of `/etc/resolv.conf`.
        package static func ofThisMachine() -> Settings {
            Settings(resolver: ResolverConfiguration(resolvConf: SystemFile.text("/etc/resolv.conf")))
        }

        /// Whether ``ask(_:)`` takes it: `IP`, `IP:port`, `[IPv6]:port`.
        package static func isResolver(_ text: String) -> Bool { DNSServer(text) != nil }

        /// Asks these name servers instead of those before; none: those before.
        package mutating func ask(_ servers: [String]) {
            let servers = servers.compactMap { DNSServer($0) }
            if !servers.isEmpty { resolver.servers = servers }
        }
    }

    let configuration: Configuration
    let settings: Settings
    let local: LocalAddresses
    let kernelClock: KernelClock
    let authority: AuthoritySurvey
    let time: any TimeSource
    let entropy: any Entropy
    let log: Logger

    /// - Parameter http: asks the authority; it trusts what `acme.ca_file` says.
    package init(
        _ configuration: Configuration, settings: Settings = .ofThisMachine(), local: LocalAddresses = .ofThisMachine(),
        kernelClock: KernelClock = .ofThisMachine(), http: any OutgoingHTTP, time: any TimeSource, entropy: any Entropy, log: Logger
    ) {
        self.configuration = configuration
        self.settings = settings
        self.local = local
        self.kernelClock = kernelClock
        authority = AuthoritySurvey(http, time: time)
        self.time = time
        self.entropy = entropy
        self.log = log
    }

    package func examine() async -> DoctorReport {
        let server = await ServerSurvey(configuration, time: time, log: log).examine()
        let holders = PortHolders(root: settings.processes)
        // A server that is not running has no key that others could not guess; the doctor's own listeners take one of their own.
        let proof = server.proof ?? (server.state == .stopped ? DoctorProof(secret: Secret(entropy.bytes(32))) : nil)
        let listeners: ShortLivedListeners? =
            if server.state == .stopped, let proof {
                await ShortLivedListeners.open(listenAddresses, proof: proof, holders: holders)
            } else {
                nil
            }
        async let authorityFacts = examineAuthority()
        async let folder = examineFolder(server.state)
        async let postgres = examinePostgres(server.state)
        async let redis = examineRedis()
        let names = await withTaskGroup(of: (Int, NameFacts).self) { group in
            for (index, name) in self.names.enumerated() {
                group.addTask {
                    (index, await examine(name, proof: proof, hasOwnListeners: listeners?.isAnswering == true))
                }
            }
            return await group.reduce(into: [NameFacts?](repeating: nil, count: self.names.count)) { $0[$1.0] = $1.1 }.compactMap { $0 }
        }
        await listeners?.close()
        let listening = listeners?.checks ?? listenAddresses.map { running($0.key, $0.address, server.state, holders) }
        let facts = await authorityFacts
        return DoctorReport(
            findings: [
                ServerCheck(state: server.state, trouble: server.trouble, socket: configuration.listen.admin).finding(), clock(facts),
            ] + (await folder).findings() + (await postgres?.findings() ?? []) + [await redis].compactMap { $0?.finding() }
                + listening.map { $0.finding() }
                + authorityFindings(facts)
                + names.flatMap { findings($0, facts, account: server.account, server.state, holders) } + certificateFindings(server))
    }

    /// The host of `public_url`, and those that certificates are ordered for.
    var names: [String] {
        var seen: Set<String> = []
        let all = [configuration.publicURL.host] + (configuration.tls.mode == .acme ? configuration.acme.domains : [])
        return all.filter { !$0.hasPrefix("*") && seen.insert($0).inserted }
    }

    private var listenAddresses: [(key: String, address: ListenAddress)] {
        let all =
            configuration.listen.http.map { ("listen.http", $0) } + configuration.listen.https.map { ("listen.https", $0) }
            + [configuration.metrics.address].compactMap { $0 }.map { ("metrics.address", $0) }
        return all.filter { $0.1.port != nil }
    }

    private func examineAuthority() async -> AuthorityFacts? {
        guard configuration.tls.mode == .acme else { return nil }
        let url = configuration.acme.directory
        let late = OutgoingError(.timedOut, "\(url.host) did not answer within \(settings.timeLimit.text)")
        return await limited(to: settings.timeLimit, late: AuthorityFacts(url: url, outcome: .failure(late))) {
            await authority.examine(url)
        }
    }

    private func clock(_ facts: AuthorityFacts?) -> Finding {
        ClockCheck(difference: facts?.clockDifference, host: facts?.url.host ?? "", kernel: kernelClock).finding()
    }

    private func authorityFindings(_ facts: AuthorityFacts?) -> [Finding] {
        guard let facts else { return [] }
        let acme = configuration.acme
        return AuthorityCheck(
            facts: facts, caFile: acme.caFile, hasExternalAccount: acme.externalAccount.keyID != nil, profile: acme.profile
        ).findings()
    }

    private func certificateFindings(_ server: ServerSurvey.Facts) -> [Finding] {
        guard configuration.tls.mode != .off else { return [] }
        return CertificateCheck(
            mode: configuration.tls.mode.rawValue, names: names.map { IPAddress($0)?.description ?? $0 }, certificates: server.certificates,
            files: server.files,
            isRunning: server.state != .stopped, now: time.now()
        ).findings()
    }

    /// Of an address that the running server should have.
    private func running(_ key: String, _ address: ListenAddress, _ state: ServerState, _ holders: PortHolders) -> ListenCheck {
        let outcome: ListenCheck.Outcome
        switch address.port.flatMap({ holders.holder(of: $0, at: address.address) }) {
        case nil: outcome = .failed(.other, "gatehouse runs, and does not listen there: restart it if the configuration has changed")
        case .some(let holder):
            // Another user's process shows no name; systemd holds the sockets that it hands over.
            var isOurs = holder.process == nil || holder.process == 1
            if case .running(let process?) = state, holder.process == process { isOurs = true }
            outcome = isOurs ? .ours : .taken(holder)
        }
        return ListenCheck(key: key, address: address, outcome: outcome)
    }
}
