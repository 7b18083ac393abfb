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

extension Configuration {
    /// The same as ``reference()``, for programs: what the manual page is made of.
    package static var referenceJSON: JSON {
        let defaults = Configuration()
        return [
            "settings": .array(
                keys.map { key in
                    var members = key.members(defaults)
                    members.append(.init("variables", .array(([key.variable] + key.aliases).map { .string($0) })))
                    members.append(.init("option", key.flag.map { .string($0) } ?? .null))
                    members.append(.init("secret", .bool(key.isSecret)))
                    return .object(members)
                }),
            "site": .array(Site.keys.map { .object($0.members(Site())) }),
            "policy": .array(Limits.CustomPolicy.keys.map { .object($0.members(nil)) }),
        ]
    }
}

extension SettingKey {
    /// - Parameter defaults: `nil` where each value has to be given.
    fileprivate func members(_ defaults: Root?) -> [JSON.Member] {
        [
            .init("key", .string(path)), .init("type", .string(kind)), .init("documentation", .string(documentation)),
            .init("default", isSecret ? .null : defaults.flatMap(literal).map { .string($0.toml) } ?? .null),
            .init("default_in_words", derivedDefault.map { .string($0) } ?? .null),
            .init("example", example.map { .string($0) } ?? .null), .init("recipe", recipe.map { .string($0) } ?? .null),
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
