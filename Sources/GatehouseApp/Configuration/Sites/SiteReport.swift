extension Configuration.Loaded {
    typealias SiteSetting = (name: String, literal: Literal?, origin: ConfigurationPlace)

    /// What is in force for a site: its target, and the settings that mean something for it.
    func settings(ofSite index: Int) -> [SiteSetting] {
        let site = configuration.sites[index]
        guard let target = site.targets.first else { return [] }
        return Configuration.Site.keys(for: target).compactMap { key in
            if let other = Configuration.Site.Target(rawValue: key.path), other != target { return nil }
            return (key.path, key.literal(site), siteOrigins[index][key.path] ?? .default)
        }
    }

    /// A site as TOML that could be used as it is.
    func report(ofSite index: Int) -> String {
        "\n[[site]]\n"
            + settings(ofSite: index).map { setting in
                let assignment = setting.literal.map { "\(setting.name) = \($0.toml)" } ?? "# \(setting.name) is not set"
                return padded(assignment, to: 44) + "# \(setting.origin)\n"
            }.joined()
    }
}

extension Configuration.Limits.CustomPolicy {
    var report: String {
        "\n[limits.policies.\(name)]\n" + Self.keys.map { "\($0.path) = \($0.literal(self)?.toml ?? "")\n" }.joined()
    }
}

extension Configuration.Site {
    /// A `[[site]]` in which every key is explained and commented out.
    static var reference: String {
        var text = """

            # A table [limits.policies.NAME] with limit, window and key (user, network or session) is a policy of your own, for sites to
            # name in limits.

            # Applications behind Gatehouse: one [[site]] for each, with exactly one of upstream, instances, root, redirect and respond.
            # [[site]]

            """
        let defaults = Configuration.Site()
        for key in keys {
            text += "\n"
            for line in wrapped(key.documentation, at: 116) { text += "# \(line)\n" }
            if let derived = key.derivedDefault { text += "# Default: \(derived).\n" }
            text += "# \(key.path) = \(key.example.map { "\"\($0)\"" } ?? key.literal(defaults)?.toml ?? examples[key.path] ?? "\"\"")\n"
        }
        return text
    }

    private static let examples = [
        "set_request_headers": "{ X-From = \"gatehouse\" }", "set_response_headers": "{ X-Frame-Options = \"SAMEORIGIN\" }",
        "root": "\"/srv/www\"", "redirect": "\"https://www.example.com{uri}\"", "respond": "\"Back soon.\"", "add_prefix": "\"/app\"",
    ]
}
