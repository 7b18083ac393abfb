package import GateAccess
package import GateCore
package import GateProxy

extension Configuration {
    /// One `[[site]]` as it was written, with the defaults of what was not.
    package struct Site: Equatable, Sendable {
        package var name: String?
        package var hosts: [HostPattern] = [.any]
        package var path = PathPrefix("/")
        package var upstream: [UpstreamRules.Server] = []
        /// Other instances of this installation.
        package var instances: [UpstreamRules.Server] = []
        /// A folder, as given.
        package var root: String?
        package var redirect: String?
        package var respond: String?

        package var access = AccessRule.signedIn
        package var limits = [PolicyName.site.rawValue]
        package var maxBody = BodyLimit.bytes(ByteSize(bytes: 10 << 20))
        package var stripPrefix = StrippedPrefix.none
        package var addPrefix: String?
        package var setRequestHeaders: [Field] = []
        package var removeRequestHeaders: [String] = []
        package var setResponseHeaders: [Field] = []
        package var removeResponseHeaders: [String] = []
        package var securityHeaders = true

        /// What is said of upstreams; the servers are in ``upstream`` or ``instances``.
        package var upstreamRules = UpstreamRules(servers: [])
        package var healthPath: String?
        package var healthInterval = UpstreamRules.HealthCheck(path: "/").interval
        package var healthTimeout = UpstreamRules.HealthCheck(path: "/").timeout
        package var folderRules = FolderRules(root: "")
        package var redirectStatus = RedirectRules(location: "").status
        package var fixedAnswer = FixedAnswer()

        package init() {}

        package typealias PolicyName = Limits.PolicyName

        package enum BodyLimit: Hashable, Sendable {
            case bytes(ByteSize)
            case unlimited
        }

        package enum StrippedPrefix: Hashable, Sendable {
            case none
            /// The site's own path.
            case path
            case other(String)
        }

        package struct Field: Hashable, Sendable {
            package var name: String
            package var value: String
        }

        /// What answers. Exactly one is set.
        enum Target: String, CaseIterable {
            case upstream, instances, root, redirect, respond
        }

        var targets: [Target] {
            Target.allCases.filter { target in
                switch target {
                case .upstream: !upstream.isEmpty
                case .instances: !instances.isEmpty
                case .root: root != nil
                case .redirect: redirect != nil
                case .respond: respond != nil
                }
            }
        }
    }

    package struct API: Sendable {
        /// The host that Gatehouse's own routes are answered at, and at no other; `nil`: at every host.
        package var host: String?
        /// What stands before the paths of Gatehouse's own routes.
        package var prefix: PathPrefix?
    }
}
