package import GateAccess
import GateHTTP

/// The sites of a configuration, found by host and path.
package final class SiteDirectory: DoorDirectory {
    package let sites: [GatewaySite]
    private let table: SiteTable
    /// `nil` where there are none, as is usual.
    let instances: InstanceSites?

    /// - Parameter instances: asked before ``sites``.
    package init(_ sites: [GatewaySite], instances: InstanceSites? = nil) {
        self.sites = sites
        self.instances = instances
        table = SiteTable(sites.map(\.route))
    }

    /// As ``SiteTable/find(authority:path:)``; a site's number is its place in ``sites``.
    func find(_ request: Request) -> SiteTable.Match {
        request.target.withPath { table.find(authority: request.authority, path: $0) }
    }

    /// As ``SiteTable/names(_:)``.
    package func names(_ host: String) -> Bool { table.names(host) || instances?.names(host) == true }

    package func door(authority: String, path: Substring) -> DoorMatch {
        switch table.find(authority: authority, path: path) {
        case .site(let index): .door(sites[index].door)
        case .ambiguous: .ambiguous
        case .none: .none
        }
    }
}
