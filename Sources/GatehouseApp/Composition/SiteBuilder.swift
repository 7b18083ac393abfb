import GateAccess
import GateCore
import GateCrypto
import GateNet
import GateProxy
import Logging

/// Makes what answers the sites of a configuration.
struct SiteBuilder {
    private let configuration: Configuration
    private let composition: Composition
    private let client: HTTPClient
    private let cookie: SessionCookie
    private let baseURL: String
    private let log: Logger
    private let previous: [Upstream]

    /// - Parameters:
    ///   - client: reaches the applications, wherever the operator says they are.
    ///   - cookie: the one that applications may not set.
    ///   - baseURL: where problem documents are explained, without a slash at its end.
    ///   - previous: upstreams of the configuration before.
    init(
        _ configuration: Configuration, _ composition: Composition, client: HTTPClient, cookie: SessionCookie, baseURL: String, log: Logger,
        previous: [Upstream]
    ) {
        self.configuration = configuration
        self.composition = composition
        self.client = client
        self.cookie = cookie
        self.baseURL = baseURL
        self.log = log
        self.previous = previous
    }

    /// - Throws: `ConfigurationFaults` for files that cannot be used.
    func build() throws(ConfigurationFaults) -> (directory: SiteDirectory, upstreams: [Upstream]) {
        var sites: [GatewaySite] = []
        var instances: [GatewaySite] = []
        var upstreams: [Upstream] = []
        var faults: [ConfigurationFault] = []
        let security = SiteSecurityHeaders(configuration)
        for route in configuration.routes {
            let handler: any RouteHandler
            switch route.target {
            case .upstream(let rules):
                do throws(ConfigurationFault) {
                    let upstream = try upstream(rules, of: route)
                    upstreams.append(upstream)
                    handler = UpstreamHandler(
                        route, to: upstream, cookie: cookie, security: security, baseURL: baseURL, entropy: composition.entropy, log: log)
                } catch {
                    faults.append(error)
                    continue
                }
            case .instances(let rules):
                do throws(ConfigurationFault) {
                    let upstream = try upstream(rules, of: route)
                    upstreams.append(upstream)
                    let handler = UpstreamHandler(
                        route, to: upstream, cookie: nil, pseudonym: pseudonym, baseURL: baseURL, entropy: composition.entropy, log: log)
                    instances.append(GatewaySite(route, policies: [], handler: handler))
                } catch {
                    faults.append(error)
                }
                continue
            case .folder(let rules):
                handler = FolderHandler(rules, baseURL: baseURL, logger: log, time: composition.time, entropy: composition.entropy)
            case .redirect(let rules): handler = RedirectHandler(rules, baseURL: baseURL)
            case .fixed(let answer): handler = FixedHandler(answer)
            }
            sites.append(
                GatewaySite(
                    route, policies: configuration.limits.routePolicies(route.limits), handler: handler, security: security))
        }
        if !faults.isEmpty { throw ConfigurationFaults(faults: faults) }
        return (SiteDirectory(sites, instances: InstanceSites(instances, pseudonym: pseudonym)), upstreams)
    }

    /// The issuer is what all instances agree on, and no two installations have in common.
    private var pseudonym: ViaPseudonym {
        ViaPseudonym(installation: Hex.encode(SHA256.hash(Array(configuration.auth.issuer.utf8)).prefix(4)))
    }

    private func upstream(_ rules: UpstreamRules, of route: SiteRoute) throws(ConfigurationFault) -> Upstream {
        let authorities = try rules.authoritiesFile.map { path throws(ConfigurationFault) in Array(try TextFile(path: path).text.utf8) }
        do throws(CryptoError) {
            return try Upstream(
                rules, site: route.name, client: client, authorities: authorities,
                adopting: previous.first { $0.name == route.name }, time: composition.time, log: log)
        } catch {
            throw ConfigurationFault(
                .file(rules.authoritiesFile ?? "", line: 0, column: 0), "is no upstream_ca: \(error)",
                cure: "name a PEM file with the authority's certificate")
        }
    }
}

extension SiteSecurityHeaders {
    fileprivate convenience init(_ configuration: Configuration) {
        let headers = configuration.headers
        self.init(
            hsts: headers.hsts > .zero ? headers.hsts : nil, isHTTPSHere: configuration.tls.mode != .off,
            isFramedByItself: headers.frameOptions != .off)
    }
}
