package import GateCore

extension Configuration.Loaded {
    /// The same as ``report``, for programs: each key's value, secrets redacted, and where it came from.
    package var json: JSON {
        let settings = Configuration.keys.map { key -> JSON.Member in
            let literal = key.literal(configuration)
            let value: JSON = key.isSecret ? (literal == nil ? .null : "<redacted>") : literal?.json ?? .null
            return JSON.Member(key.path, ["value": value, "origin": .string(origins[key.path]?.description ?? "default")])
        }
        let sites = configuration.sites.indices.map { index in
            JSON.object(
                self.settings(ofSite: index).map { setting in
                    JSON.Member(setting.name, ["value": setting.literal?.json ?? .null, "origin": .string(setting.origin.description)])
                })
        }
        let policies = configuration.limits.custom.map { policy in
            JSON.Member(
                policy.name, .object(Configuration.Limits.CustomPolicy.keys.map { JSON.Member($0.path, $0.literal(policy)?.json ?? .null) })
            )
        }
        return [
            "settings": .object(settings), "policies": .object(policies), "sites": .array(sites),
            "notices": .array(notices.map { .string($0) }),
        ]
    }
}

extension Literal {
    fileprivate var json: JSON {
        switch self {
        case .quoted(let text): .string(text)
        case .bare(let text): (try? JSON(parsing: Array(text.utf8))) ?? .string(text)
        case .list(let texts): .array(texts.map { .string($0) })
        case .table(let fields): .object(fields.map { JSON.Member($0.name, .string($0.value)) })
        }
    }
}
