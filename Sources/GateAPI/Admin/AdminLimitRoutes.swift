import GateCore
import GateHTTP
import GateIdentity
import GateLimits
import NIOHTTP1

/// The operator's calls about limits.
enum AdminLimitRoutes {
    static func add(to routes: inout RouterBuilder<AdminEndpoint>) {
        routes.add(.GET, "/admin/limits", list)
        routes.add(.DELETE, "/admin/limits", clear)
    }

    private static func list(_ call: AdminCall) async throws -> Response {
        let usages = try await call.services.limits.list(policy: try await policy(call), limit: try call.pageSize())
        return .list("limits", usages) { writer, usage in
            writer.beginObject()
            writer.member("policy", usage.policy.name)
            writer.member("subject", usage.subject.text)
            writer.member("used", Int64(usage.used))
            writer.member("limit", Int64(usage.policy.limit))
            writer.member("window", usage.policy.window.text)
            writer.member("reset_after", usage.resetAfter.secondsRoundedUp)
            writer.endObject()
        }
    }

    private static func clear(_ call: AdminCall) async throws -> Response {
        let target = call.request.target
        var cleared = 0
        if target.queryValue("all") == "true" {
            cleared = try await call.services.limits.clear(.all) + call.services.identity.forgetLoginFailures(.all)
        } else if let name = try await policy(call) {
            cleared = try await call.services.limits.clear(.policy(name))
        } else if let text = target.queryValue("network") {
            guard let network = IPNetwork(text) else {
                throw Problem(.invalid, "\"\(text)\" is neither an address nor a network such as 10.0.0.0/8.")
            }
            cleared =
                try await call.services.limits.clear(.network(network)) + call.services.identity.forgetLoginFailures(.network(network))
        } else if let who = target.queryValue("user") {
            let id = try await call.services.identity.findUser(who).user.id
            cleared = try await call.services.limits.clear(.user(high: id.high, low: id.low))
        } else if let text = target.queryValue("email") {
            guard let email = EmailAddress(text) else { throw Problem(.invalid, "\"\(text)\" is no e-mail address.") }
            let account = call.services.identity.accountHash(email)
            cleared =
                try await call.services.limits.clear(.account(account)) + call.services.identity.forgetLoginFailures(.account(account))
        } else {
            throw Problem(.invalid, "Say what to clear: all=true, policy, network, user or email.")
        }
        return .personal { writer in
            writer.beginObject()
            writer.member("cleared", Int64(cleared))
            writer.endObject()
        }
    }

    private static func policy(_ call: AdminCall) async throws(Problem) -> String? {
        guard let name = call.request.target.queryValue("policy") else { return nil }
        let known = await call.services.policyNames()
        guard known.contains(name) else {
            throw Problem(.invalid, "There is no policy \"\(name)\". There are: \(known.joined(separator: ", ")).")
        }
        return name
    }
}

extension LimitSubject {
    /// For the operator's eyes. An account is a hash: the address itself is not kept.
    fileprivate var text: String {
        switch self {
        case .network(let network): network.description
        case .user(let high, let low): User.ID(high: high, low: low).description
        case .session(let high, let low): "session \(Session.ID(high: high, low: low))"
        case .networkAndAccount(let network, let account): "\(network) account \(String(account, radix: 16))"
        case .local: "local"
        }
    }
}
