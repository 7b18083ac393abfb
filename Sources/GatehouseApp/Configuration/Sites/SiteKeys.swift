import GateCore
import GateProxy

/// A setting of one `[[site]]`.
typealias SiteKey = SettingKey<Configuration.Site>

extension Configuration.Site {
    /// Every key of a `[[site]]`, in the order in which it is shown.
    static let keys: [SiteKey] = generalKeys + prefixKeys + Target.allCases.filter { $0 != .instances }.flatMap(\.keys)

    /// The keys that mean something where a site is answered by `target`.
    static func keys(for target: Target) -> [SiteKey] {
        if target == .instances { return target.keys }
        let prefixes: [SiteKey] =
            switch target {
            case .upstream: prefixKeys
            case .root: prefixKeys.filter { $0.path == "strip_prefix" }
            case .instances, .redirect, .respond: []
            }
        return generalKeys + prefixes + target.keys
    }

    fileprivate static let generalKeys: [SiteKey] = [
        SiteKey(
            "host", \.hosts, .list(of: .hostPattern), example: "app.example.com",
            "The hosts of the site: a name, \"*.example.com\" for every name directly under one, or \"*\" for any. Several as a list."),
        SiteKey(
            "path", \.path, .pathPrefix,
            "The path of the site, and everything below it. Of several sites the one with the most specific host counts, then the one with "
                + "the longest path."),
        SiteKey(
            "name", \.name, .optional(.claim), derivedDefault: "the first host, and the path unless that is /", example: "shop",
            "What the site is called in logs and metrics, and the audience (aud) of the assertions that it is sent."),
        SiteKey(
            "upstream", \.upstream, .list(of: .upstreamServer), example: "http://127.0.0.1:3000",
            "The servers of the application: http://, https:// or unix:/path."),
        SiteKey(
            "instances", \.instances, .list(of: .upstreamServer), example: "http://10.0.0.5:8080",
            "Other instances of this installation, and this one if it is to have its share: with one database, the same secrets, and this one's "
                + "address among their trusted_proxies. Requests are passed on as they come, those of Gatehouse's own paths too. health_path, "
                + "health_interval, balance and response_timeout have defaults of their own here."),
        SiteKey("root", \.root, .optional(.path), "A folder of static files."),
        SiteKey(
            "redirect", \.redirect, .optional(.redirectLocation),
            "Where requests are sent; {uri} stands for the path and query that was asked for, {host} for the host."),
        SiteKey("respond", \.respond, .respondText, "A fixed answer."),
        SiteKey(
            "access", \.access, .accessRule, derivedDefault: "signed-in; public for redirect and respond",
            "Who may pass: public (everyone), optional (everyone; the application is told who is signed in), signed-in, role:NAME (owner, "
                + "admin or member of the session's organisation) or org:ID (members of that organisation)."),
        SiteKey("limits", \.limits, .list(of: .policyName), "The policies of [limits.policies] that requests are counted under."),
        SiteKey(
            "max_body", \.maxBody, .bodyLimit,
            "The largest request body; beyond it the answer is 413. \"unlimited\" for any size: bodies are streamed, never collected."),
        SiteKey(
            "set_request_headers", \.setRequestHeaders, .fields(refusing: .ofRequests),
            "Header fields that the application is sent, in place of those of the client: { Name = \"value\" }."),
        SiteKey(
            "remove_request_headers", \.removeRequestHeaders, .list(of: .fieldName), "Header fields of the client that are not passed on."),
        SiteKey(
            "set_response_headers", \.setResponseHeaders, .fields(refusing: .ofResponses),
            "Header fields of every answer, in place of those of the application: { Name = \"value\" }."),
        SiteKey(
            "remove_response_headers", \.removeResponseHeaders, .list(of: .fieldName),
            "Header fields of the application that are not passed on."),
        SiteKey(
            "security_headers", \.securityHeaders, .bool,
            "Whether X-Content-Type-Options, Referrer-Policy, X-Frame-Options and Strict-Transport-Security are added where the answer has "
                + "none."),
    ]

    private static let prefixKeys: [SiteKey] = [
        SiteKey(
            "strip_prefix", \.stripPrefix, .strippedPrefix,
            "What is taken off the path before it is passed on: true for the site's path, or a path."),
        SiteKey("add_prefix", \.addPrefix, .optional(.plainPath), "What is put before the path that the application sees."),
    ]
}

extension Configuration.Site.Target {
    /// What only sites with this target have.
    fileprivate var keys: [SiteKey] {
        switch self {
        case .upstream: Self.upstreamKeys
        case .instances: Self.keysOfInstances
        case .root: Self.folderKeys
        case .redirect: [SiteKey("redirect_status", \.redirectStatus, .oneOf([301, 302, 303, 307, 308]), "The status of the redirect.")]
        case .respond: Self.fixedKeys
        }
    }

    private static let upstreamKeys: [SiteKey] = [
        SiteKey("balance", \.upstreamRules.balance, .choice(), "How a server is chosen: round-robin or least-connections."),
        SiteKey(
            "retries", \.upstreamRules.retries, .integer(0...10),
            "How often a request that may be repeated (RFC 9110, section 9.2.2) is tried again, on another server where there is one."),
        SiteKey(
            "max_failures", \.upstreamRules.maxFailures, .integer(0...1000),
            "After so many failures within fail_window a server is left out for as long; 0: never."),
        SiteKey("fail_window", \.upstreamRules.failWindow, .duration(.milliseconds(100)...(.seconds(3600))), "See max_failures."),
        SiteKey(
            "connect_timeout", \.upstreamRules.connectTime, .duration(.milliseconds(10)...(.seconds(600))),
            "How long a connection to a server may take."),
        SiteKey(
            "response_timeout", \.upstreamRules.responseTime, .duration(.milliseconds(10)...(.seconds(86_400))),
            "How long the application may take until its answer begins; then 504."),
        SiteKey(
            "idle_timeout", \.upstreamRules.idleTime, .duration(.milliseconds(100)...(.seconds(7 * 86_400))),
            "How long a body or a WebSocket may pause, in both directions."),
        SiteKey(
            "upstream_host", \.upstreamRules.authority, .upstreamAuthority,
            "The Host that the application sees: client (what the client asked for), upstream (that of the server) or a name."),
        SiteKey(
            "upstream_ca", \.upstreamRules.authoritiesFile, .optional(.path), example: "/etc/gatehouse/internal-ca.pem",
            "For https: a PEM file with the authorities that the servers' certificates may come from, besides the system's."),
        SiteKey(
            "max_connections", \.upstreamRules.maxConnections, .integer(1...100_000),
            "The most connections to one server, for each of our event loops; further requests wait."),
        SiteKey(
            "health_path", \.healthPath, .optional(.target), example: "/healthz",
            "A path that is asked for regularly: a server that does not answer it with 200 to 399 is left out."),
        SiteKey("health_interval", \.healthInterval, .duration(.milliseconds(100)...(.seconds(3600))), "How often it is asked for."),
        SiteKey("health_timeout", \.healthTimeout, .duration(.milliseconds(10)...(.seconds(600))), "How long its answer may take."),
    ]

    /// A site of instances takes whole requests: who may pass and what is changed is theirs to say.
    fileprivate static let keysOfInstances: [SiteKey] =
        Configuration.Site.generalKeys.filter { ["host", "path", "name", "instances"].contains($0.path) }
        + upstreamKeys.filter { $0.path != "upstream_host" }

    private static let folderKeys: [SiteKey] = [
        SiteKey("index", \.folderRules.index, .list(of: .fileName), "The files that stand for a folder, the first that there is."),
        SiteKey(
            "fallback", \.folderRules.fallback, .optional(.plainPath), example: "/index.html",
            "The file that answers, with 200, for a path without a file: for single-page applications."),
        SiteKey(
            "precompressed", \.folderRules.precompressed, .bool,
            "Whether FILE.br and FILE.gz stand in for FILE where the client takes them."),
        SiteKey(
            "cache_control", \.folderRules.cacheControl, .optional(.headerValue), example: "public, max-age=3600",
            "The field Cache-Control of files."),
    ]

    private static let fixedKeys: [SiteKey] = [
        SiteKey("respond_status", \.fixedAnswer.status, .integer(200...599), "The status of the fixed answer."),
        SiteKey("respond_type", \.fixedAnswer.contentType, .headerValue, "The content type of the fixed answer."),
    ]
}
