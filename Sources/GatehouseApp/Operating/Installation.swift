/// Where the Debian package puts what commands find by themselves.
package enum Installation {
    package static let configuration = "/etc/gatehouse/gatehouse.toml"
    package static let credentials = "/etc/gatehouse/credentials"

    /// Names the configuration file for every command; empty for none.
    package static let variable = "GATEHOUSE_CONFIG"

    /// The configuration file of a command.
    ///
    /// - Parameters:
    ///   - option: what `--config` says.
    ///   - installed: the packaged file, where this command falls back to it and it exists.
    /// - Returns: `nil` for none.
    package static func configurationFile(option: String?, environment: [String: String], installed: String?) -> String? {
        if let option { return option }
        if let named = environment[variable] { return named.isEmpty ? nil : named }
        return installed
    }
}
