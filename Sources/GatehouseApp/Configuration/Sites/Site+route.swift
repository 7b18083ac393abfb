import GateAccess
import GateCore
import GateProxy
import Glibc

extension Configuration.Site {
    /// For log lines, metrics and the audience of assertions.
    var title: String {
        if let name { return name }
        let host = (instances.isEmpty ? "" : "instances of ") + (hosts.first.map(\.text) ?? "*")
        return path.text == "/" ? host : host + path.text
    }

    /// The site as the gateway takes it. `nil` where nothing is set that could answer, which the checks have refused.
    var route: SiteRoute? {
        guard let target = targets.first else { return nil }
        var route = SiteRoute(name: title, hosts: hosts, path: path, target: routeTarget(target))
        route.access = access
        route.limits = limits
        if case .bytes(let size) = maxBody { route.bodyLimit = size.bytes }
        route.requestFields.removed = removeRequestHeaders
        route.requestFields.set = setRequestHeaders.map { ($0.name, $0.value) }
        route.responseFields.removed = removeResponseHeaders
        route.responseFields.set = setResponseHeaders.map { ($0.name, $0.value) }
        route.addsSecurityHeaders = securityHeaders
        return route
    }

    private func routeTarget(_ target: Target) -> RouteTarget {
        switch target {
        case .upstream:
            var rules = rules(for: upstream)
            rules.strippedPrefix = strippedPrefix
            rules.addedPrefix = addPrefix
            return .upstream(rules)
        case .instances: return .instances(rules(for: instances))
        case .root:
            var rules = folderRules
            rules.root = absolutePath(root ?? "")
            rules.strippedPrefix = strippedPrefix
            return .folder(rules)
        case .redirect:
            var rules = RedirectRules(location: redirect ?? "")
            rules.status = redirectStatus
            return .redirect(rules)
        case .respond:
            var answer = fixedAnswer
            answer.body = respond ?? ""
            return .fixed(answer)
        }
    }

    private func rules(for servers: [UpstreamRules.Server]) -> UpstreamRules {
        var rules = upstreamRules
        rules.servers = servers
        rules.authoritiesFile = rules.authoritiesFile.map(absolutePath)
        if let healthPath {
            var check = UpstreamRules.HealthCheck(path: healthPath)
            check.interval = healthInterval
            check.timeout = healthTimeout
            rules.health = check
        }
        return rules
    }

    private var strippedPrefix: String? {
        switch stripPrefix {
        case .none: nil
        case .path: path.text == "/" ? nil : path.text
        case .other(let prefix): prefix
        }
    }
}

/// Relative paths are relative to the working folder.
private func absolutePath(_ path: String) -> String {
    guard !path.hasPrefix("/"), let folder = getcwd(nil, 0) else { return path }
    defer { free(folder) }
    return String(cString: folder) + "/" + path
}

extension HostPattern {
    /// As the configuration writes it.
    var text: String {
        switch self {
        case .exact(let name): name
        case .wildcard(let suffix): "*" + suffix
        case .any: "*"
        }
    }
}

extension AccessRule {
    /// As the configuration writes it.
    var text: String {
        switch self {
        case .everyone: "public"
        case .optional: "optional"
        case .signedIn: "signed-in"
        case .role(let name): "role:\(name)"
        case .organisation(let id): "org:\(id)"
        }
    }
}

extension Configuration {
    /// The host of `public_url`, and those that sites are for by name.
    var ownHosts: [String] {
        var hosts = [publicURL.host]
        for site in sites {
            for case .exact(let name) in site.hosts where !hosts.contains(name) { hosts.append(name) }
        }
        return hosts
    }

    /// The sites as the gateway takes them.
    var routes: [SiteRoute] { sites.compactMap(\.route) }
}
