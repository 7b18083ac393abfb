import GateAccess
import GateCore
import GateHTTP
import GateProxy

extension ConfigurationLoading {
    mutating func readSites(_ tables: [TableEntry<Configuration.Site>]) {
        for table in tables {
            var site = Configuration.Site()
            let origins = table.read(into: &site, title: "[[site]]", faults: &faults)
            faults += table.faults
            if origins["access"] == nil, let target = site.targets.first, target == .redirect || target == .respond {
                site.access = .everyone
            }
            site.name = site.title
            configuration.sites.append(site)
            siteOrigins.append(origins)
            sitePlaces.append(table.place)
        }
    }

    /// Where all servers are alike, and each says whether it is ready.
    private mutating func setDefaultsOfInstances(_ index: Int) {
        var site = configuration.sites[index]
        let origins = siteOrigins[index]
        site.access = .everyone
        site.limits = []
        site.maxBody = .unlimited
        site.securityHeaders = false
        if origins["health_path"] == nil { site.healthPath = (configuration.api.prefix?.text ?? "") + "/api/v1/health/ready" }
        if origins["health_interval"] == nil { site.healthInterval = .seconds(1) }
        if origins["health_timeout"] == nil { site.healthTimeout = .seconds(1) }
        if origins["balance"] == nil { site.upstreamRules.balance = .leastConnections }
        configuration.sites[index] = site
    }

    mutating func readPolicies(_ tables: [(name: String, table: TableEntry<Configuration.Limits.CustomPolicy>)]) {
        for (name, table) in tables {
            var policy = Configuration.Limits.CustomPolicy(name: name)
            let title = "limits.policies.\(name)"
            let origins = table.read(into: &policy, title: title, faults: &faults)
            faults += table.faults
            policyPlaces[name] = (table.place, missing: ["limit", "window"].filter { origins[$0] == nil })
            configuration.limits.custom.append(policy)
        }
    }

    /// Rules between the settings of sites.
    mutating func checkSites() {
        for index in configuration.sites.indices {
            if configuration.sites[index].targets.first == .instances { setDefaultsOfInstances(index) }
            checkSite(index)
        }
        checkPolicies()
        if let host = configuration.api.host, host != configuration.publicURL.host, let place = origins["api.host"] {
            notices.append(
                "\(place): api.host is \(host), but links and the tokens' issuer lead to \(configuration.publicURL.host), the host of public_url"
            )
        }
    }

    private mutating func checkSite(_ index: Int) {
        let site = configuration.sites[index]
        let origins = siteOrigins[index]
        let place = sitePlaces[index]
        func fault(_ key: String? = nil, _ problem: String, cure: String) -> ConfigurationFault {
            ConfigurationFault(key.flatMap { origins[$0] } ?? place, problem, cure: cure)
        }
        let targets = Configuration.Site.Target.allCases.filter { origins[$0.rawValue] != nil }
        guard targets.count == 1, let target = targets.first else {
            let names = targets.map(\.rawValue).joined(separator: " and ")
            faults.append(
                fault(
                    targets.last?.rawValue, targets.isEmpty ? "the site has nothing that answers" : "the site has \(names)",
                    cure: "write exactly one of upstream, instances, root, redirect and respond"))
            return
        }
        if site.targets.isEmpty {
            faults.append(fault(target.rawValue, "\(target.rawValue) of [[site]] is empty", cure: "name what answers, or remove the site"))
        }
        let known = Set(Configuration.Site.keys(for: target).map(\.path))
        for key in Configuration.Site.keys where origins[key.path] != nil && !known.contains(key.path) {
            faults.append(fault(key.path, "\(key.path) means nothing for a site with \(target.rawValue)", cure: "remove it"))
        }
        if site.hosts.isEmpty { faults.append(fault("host", "host of [[site]] is empty", cure: "name a host, or leave it out for any")) }
        // Those of instances are asked first, beside the others.
        for (other, earlier) in configuration.sites[..<index].enumerated()
        where earlier.path == site.path && earlier.instances.isEmpty == site.instances.isEmpty {
            for host in site.hosts where earlier.hosts.contains(host) {
                faults.append(
                    fault(
                        "host", "the site \(host.text)\(site.path.text) is there already (\(sitePlaces[other].inItsFile))",
                        cure: "remove one of the two, or give them different paths"))
            }
        }
        // Two for the same host and path have been told of.
        let namesakes = configuration.sites[..<index].filter {
            $0.title == site.title
                && ($0.hosts.first != site.hosts.first || $0.path != site.path || $0.instances.isEmpty != site.instances.isEmpty)
        }
        if !namesakes.isEmpty {
            faults.append(fault("name", "another site is called \(site.title) too", cure: "give one of the two another name"))
        }
        if Set(site.hosts).count < site.hosts.count { faults.append(fault("host", "host names one twice", cure: "remove one of the two")) }
        checkUpstream(site, fault)
    }

    private mutating func checkUpstream(_ site: Configuration.Site, _ fault: (String?, String, String) -> ConfigurationFault) {
        for (key, servers) in [("upstream", site.upstream), ("instances", site.instances)] where Set(servers).count < servers.count {
            faults.append(fault(key, "\(key) names one server twice", "remove one"))
        }
        let usesTLS = (site.upstream + site.instances).contains { $0.url.scheme == .https }
        if site.upstreamRules.authoritiesFile != nil, !usesTLS {
            faults.append(fault("upstream_ca", "upstream_ca is set, but no server of upstream is https", "remove it"))
        }
        if case .other(let prefix) = site.stripPrefix, !PathPrefix(prefix).covers(site.path.text[...]) {
            faults.append(
                fault(
                    "strip_prefix", "strip_prefix (\(prefix)) is not what the path of the site begins with",
                    "write true, or a path above it"))
        }
        let ownServers = site.upstream.filter { server in
            configuration.listen.http.contains { server.socket == nil && $0.isReached(by: server.url.host, server.url.port) }
        }
        for server in ownServers {
            faults.append(fault("upstream", "\(server.url) is Gatehouse itself (listen.http)", "name the application's own port"))
        }
    }

    private mutating func checkPolicies() {
        let builtIn = Configuration.Limits.PolicyName.allCases.map(\.rawValue)
        let custom = configuration.limits.custom.map(\.name)
        var used = Set<String>()
        for (index, site) in configuration.sites.enumerated() {
            for name in site.limits {
                used.insert(name)
                let place = siteOrigins[index]["limits"] ?? sitePlaces[index]
                let usable = [Configuration.Limits.PolicyName.site.rawValue, Configuration.Limits.PolicyName.api.rawValue] + custom
                guard !usable.contains(name) else { continue }
                let problem =
                    builtIn.contains(name) ? "the policy \"\(name)\" is for credentials, not for sites" : "there is no policy \"\(name)\""
                faults.append(
                    ConfigurationFault(
                        place, problem,
                        cure: nearestName(to: name, among: usable).map { "did you mean \"\($0)\"?" }
                            ?? "define it under [limits.policies.\(name)], or choose one of \(usable.joined(separator: ", "))"))
            }
            if Set(site.limits).count < site.limits.count {
                faults.append(
                    ConfigurationFault(siteOrigins[index]["limits"] ?? sitePlaces[index], "limits names one twice", cure: "remove one"))
            }
        }
        for name in custom {
            guard let (place, missing) = policyPlaces[name] else { continue }
            // A slip in the name of one that there is would otherwise go unnoticed.
            if !used.contains(name), let near = nearestName(to: name, among: builtIn) {
                faults.append(ConfigurationFault(place, "no site uses the policy \"\(name)\"", cure: "did you mean \"\(near)\"?"))
                continue
            }
            if !used.contains(name) { notices.append("\(place): the policy \"\(name)\" is not used by any site") }
            for key in missing {
                faults.append(ConfigurationFault(place, "limits.policies.\(name) has no \(key)", cure: "write limit and window"))
            }
        }
    }

    /// The names that sites are for, in the order in which they were written.
    var hostsOfSites: [String] {
        var names: [String] = []
        for site in configuration.sites {
            for case .exact(let name) in site.hosts where !names.contains(name) { names.append(name) }
        }
        return names
    }
}

extension ListenAddress {
    /// Whether who connects to `host` and `port` on this machine comes here.
    fileprivate func isReached(by host: String, _ port: Int) -> Bool {
        let address = host == "localhost" ? IPAddress("127.0.0.1") : IPAddress(host)
        switch self {
        case .unix: return false
        case .anyAddress(let own): return own == port && own != 0 && address.map { ListenAddress.tcp($0, port: port).isPrivate } ?? false
        case .tcp(let own, let ownPort): return ownPort == port && own == address
        }
    }
}
