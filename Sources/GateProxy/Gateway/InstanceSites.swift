import GateAccess
import GateHTTP
import NIOHTTP1

/// The sites behind which are other instances of this installation, and perhaps this one too.
///
/// A request for them is passed on before anything is decided about it: with its session cookie and its access token, and for Gatehouse's own
/// paths as well. Whoever gets it decides as for any other request. So every instance may have the same configuration: what has come by
/// one of them is answered, and not passed on a second time.
package struct InstanceSites: Sendable {
    private let sites: [GatewaySite]
    private let table: SiteTable
    private let pseudonym: ViaPseudonym

    /// - Parameters:
    ///   - sites: `nil` is what comes of none.
    ///   - pseudonym: that of the installation, as the sites' handlers have it.
    package init?(_ sites: [GatewaySite], pseudonym: ViaPseudonym) {
        guard !sites.isEmpty else { return nil }
        self.sites = sites
        table = SiteTable(sites.map(\.route))
        self.pseudonym = pseudonym
    }

    /// As ``SiteTable/names(_:)``.
    func names(_ host: String) -> Bool { table.names(host) }

    /// The site that the request is to be passed on to; `nil` where it is to be answered here.
    ///
    /// Nobody gains anything by inventing `Via`: the request is then answered by this instance, as it would be by any other.
    func find(_ request: Request) -> GatewaySite? {
        let path = request.target.path
        // A path with two readings is refused by whoever answers: here.
        guard case .site(let index) = table.find(authority: request.authority, path: path), !Self.isAboutThisInstance(path) else {
            return nil
        }
        return pseudonym.visits(in: request.headers["via"]) == 0 ? sites[index] : nil
    }

    /// The request as it is passed on: HTTP/1.1 has one `Cookie` field (RFC 9113 §8.2.3).
    func passedOn(_ request: Request) -> AdmittedRequest {
        let cookies = request.headers["cookie"]
        guard cookies.count > 1 else { return AdmittedRequest(withholdingNothingOf: request) }
        var headers = request.headers
        headers.replaceOrAdd(name: "cookie", value: cookies.joined(separator: "; "))
        return AdmittedRequest(withholdingNothingOf: request.with(headers: headers))
    }

    /// Who asks an instance for its health wants to know of this one, wherever `api.prefix` puts the path. An application's own path of that
    /// end is merely answered without another hop.
    private static func isAboutThisInstance(_ path: Substring) -> Bool {
        path.hasSuffix("/health") || path.hasSuffix("/health/live") || path.hasSuffix("/health/ready")
    }
}
