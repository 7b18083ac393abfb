import GateCore

extension Configuration {
    /// What a configuration is made of, the strongest first: flags, environment, systemd credentials, environment file, TOML file,
    /// defaults.
    package struct Sources: Sendable {
        /// Options as the command line had them: `("--listen", ":8080")`. An option that takes a list may be repeated.
        package var flags: [(name: String, value: String)]
        package var environment: [String: String]
        package var environmentFile: String?
        package var configurationFile: String?
        /// The machine's cores; the default of `auth.hash_threads`.
        package var cores: Int

        package init(
            flags: [(name: String, value: String)] = [], environment: [String: String] = [:], environmentFile: String? = nil,
            configurationFile: String? = nil, cores: Int
        ) {
            self.flags = flags
            self.environment = environment
            self.environmentFile = environmentFile
            self.configurationFile = configurationFile
            self.cores = cores
        }
    }

    /// A configuration with where each of its values came from.
    package struct Loaded: Sendable {
        package let configuration: Configuration
        /// By the key's path. What is missing is a default.
        package let origins: [String: ConfigurationPlace]
        /// The same of each site.
        package let siteOrigins: [[String: ConfigurationPlace]]
        /// What is no fault, and worth knowing: variables that are set and not used, files that others can read.
        package let notices: [String]
    }

    /// Reads every source, and reports every fault of all of them at once.
    package static func load(_ sources: Sources) -> Result<Loaded, ConfigurationFaults> {
        var loading = ConfigurationLoading(environment: sources.environment)
        // The weakest first: what comes later overwrites.
        if let path = sources.configurationFile { loading.readFile(path) }
        if let path = sources.environmentFile { loading.readEnvironmentFile(path) }
        loading.readCredentials(in: sources.environment["CREDENTIALS_DIRECTORY"])
        loading.readEnvironment(sources.environment)
        loading.readFlags(sources.flags)
        loading.derive(cores: sources.cores)
        loading.crossCheck()
        guard loading.faults.isEmpty else { return .failure(ConfigurationFaults(faults: loading.faults)) }
        return .success(
            Loaded(
                configuration: loading.configuration, origins: loading.origins, siteOrigins: loading.siteOrigins, notices: loading.notices))
    }
}
