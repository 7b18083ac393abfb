package import GateAccess

/// One `[[site]]` of the configuration: which requests, who may make them, and what answers.
package struct SiteRoute: Hashable, Sendable {
    /// For log lines and metrics: its first host and its path.
    package var name: String
    package var hosts: [HostPattern]
    package var path: PathPrefix
    package var access = AccessRule.signedIn
    /// The names of the limit policies that its requests are counted under.
    package var limits: [String] = []
    /// In bytes; beyond it, 413. `nil` for any size.
    package var bodyLimit: Int?
    /// Made to a request before it goes upstream, and to the answer before it goes to the client.
    package var requestFields = FieldChanges()
    package var responseFields = FieldChanges()
    /// Whether security headers are added where the answer has none of that name.
    package var addsSecurityHeaders = true
    package var target: RouteTarget

    package init(name: String, hosts: [HostPattern], path: PathPrefix, target: RouteTarget) {
        self.name = name
        self.hosts = hosts
        self.path = path
        self.target = target
    }
}

/// Header fields to remove, and then to set.
package struct FieldChanges: Hashable, Sendable {
    package var removed: [String] = []
    package var set: [(name: String, value: String)] = []

    package init() {}

    package static func == (left: FieldChanges, right: FieldChanges) -> Bool {
        left.removed == right.removed && left.set.elementsEqual(right.set, by: ==)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(removed)
        for field in set { hasher.combine(field.name) }
    }
}

package enum RouteTarget: Hashable, Sendable {
    case upstream(UpstreamRules)
    /// Other instances of this installation: see ``InstanceSites``.
    case instances(UpstreamRules)
    case folder(FolderRules)
    case redirect(RedirectRules)
    case fixed(FixedAnswer)
}
