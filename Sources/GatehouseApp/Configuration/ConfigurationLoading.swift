import GateCore

/// A configuration on its way from the sources to its final state.
struct ConfigurationLoading {
    var configuration = Configuration()
    var origins: [String: ConfigurationPlace] = [:]
    var faults: [ConfigurationFault] = []
    var notices: [String] = []
    /// Of each site: where its keys were written, and where it begins.
    var siteOrigins: [[String: ConfigurationPlace]] = []
    var sitePlaces: [ConfigurationPlace] = []
    /// Of each policy of the operator's own: where it begins, and which keys it lacks.
    var policyPlaces: [String: (place: ConfigurationPlace, missing: [String])] = [:]

    let environment: [String: String]

    init(environment: [String: String]) { self.environment = environment }

    /// - Parameter name: the key's name as the source writes it, for the message where the place does not show it.
    private mutating func assign(_ key: ConfigurationKey, _ value: RawValue, at place: ConfigurationPlace, name: String? = nil) {
        do throws(InvalidValue) {
            try key.assign(value, &configuration)
            origins[key.path] = place
        } catch {
            faults.append(ConfigurationFault(place, (name.map { "\($0): " } ?? "") + error.problem, cure: error.cure))
        }
    }

    // MARK: The TOML file

    mutating func readFile(_ path: String) {
        guard let file = read(path) else { return }
        let contents = ConfigurationFile(file.text, file: path)
        faults += contents.faults
        for entry in contents.entries { assign(entry.key, entry.value, at: entry.place, name: entry.key.path) }
        readSites(contents.sites)
        readPolicies(contents.policies)
        warnIfExposed(file, path, contents.entries.map(\.key))
    }

    // MARK: Environment, environment file, credentials

    mutating func readEnvironmentFile(_ path: String) {
        guard let file = read(path) else { return }
        let contents = EnvironmentFile(file.text, file: path)
        faults += contents.faults
        let lines = Dictionary(contents.entries.map { ($0.name, $0.line) }) { first, _ in first }
        let keys = readVariables(Dictionary(contents.entries.map { ($0.name, $0.value) }) { first, _ in first }) { name in
            .environmentFile(path, line: lines[name] ?? 0, variable: name)
        }
        warnIfExposed(file, path, keys)
    }

    mutating func readEnvironment(_ variables: [String: String]) {
        // This one says which file is read, and has done so by now.
        let settings = variables.filter { $0.key != Installation.variable }
        _ = readVariables(settings) { .environment(variable: $0) }
    }

    mutating func readCredentials(in folder: String?) {
        guard let folder else { return }
        for credential in CredentialsFolder(folder).credentials {
            guard let key = Configuration.keys.first(where: { $0.path == credential.setting }) else {
                if credential.isOurs { rejectUnknown(credential) }
                continue
            }
            do throws(ConfigurationFault) {
                assign(key, .text(trimmed(try TextFile(path: credential.path).text)), at: .credential(path: credential.path))
            } catch {
                faults.append(error)
            }
        }
    }

    private mutating func rejectUnknown(_ credential: CredentialsFolder.Credential) {
        let near = nearestName(to: credential.setting, among: Configuration.keys.map(\.path))
        faults.append(
            ConfigurationFault(
                .credential(path: credential.path), "no setting has that name", cure: near.map { "did you mean \($0)?" } ?? "remove it"))
    }

    /// Returns the keys that were set.
    private mutating func readVariables(_ variables: [String: String], place: (String) -> ConfigurationPlace) -> [ConfigurationKey] {
        var keys: [ConfigurationKey] = []
        for key in Configuration.keys {
            // The key's own name is the more precise one, so it wins over a usual name. Empty means not set, except under the
            // key's own name, where it may be a value.
            for name in key.aliases + [key.variable] {
                guard let value = variables[name], !value.isEmpty || name == key.variable else { continue }
                assign(key, .text(value), at: place(name))
                keys.append(key)
            }
        }
        if let text = variables["PORT"], !text.isEmpty, variables["GATEHOUSE_LISTEN_HTTP"] == nil { setPort(text, at: place("PORT")) }
        for name in LaterFeatures.ignoredVariables.intersection(variables.filter { !$0.value.isEmpty }.keys).sorted() {
            notices.append("\(place(name)): set, but not used by this version")
        }
        rejectUnknown(variables.keys, place: place)
        return keys
    }

    private mutating func rejectUnknown(_ names: some Sequence<String>, place: (String) -> ConfigurationPlace) {
        let known = Set(Configuration.keys.map(\.variable))
        for name in names.filter({ $0.hasPrefix("GATEHOUSE_") && !known.contains($0) }).sorted() {
            if LaterFeatures.contain(variable: name) {
                faults.append(ConfigurationFault(place(name), "not available in this version", cure: "remove the variable"))
            } else {
                let near = nearestName(to: name, among: known.sorted())
                faults.append(
                    ConfigurationFault(place(name), "unknown variable", cure: near.map { "did you mean \($0)?" } ?? "remove it"))
            }
        }
    }

    private mutating func setPort(_ text: String, at place: ConfigurationPlace) {
        guard let value = Int(text), 0...65_535 ~= value, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            faults.append(ConfigurationFault(place, "\"\(text)\" is no port", cure: "choose from 1 to 65535"))
            return
        }
        configuration.listen.http = configuration.listen.http.map { $0.with(port: value) }
        origins["listen.http"] = place
    }

    // MARK: Flags

    mutating func readFlags(_ flags: [(name: String, value: String)]) {
        let known = Configuration.keys.filter { $0.flag != nil }
        for key in known {
            let values = flags.filter { $0.name == key.flag }.map(\.value)
            guard !values.isEmpty else { continue }
            assign(key, .text(values.joined(separator: ",")), at: .flag(key.flag!))
        }
        for flag in flags where !known.contains(where: { $0.flag == flag.name }) {
            let near = nearestName(to: flag.name, among: known.compactMap(\.flag))
            faults.append(ConfigurationFault(.flag(flag.name), "unknown option", cure: near.map { "did you mean \($0)?" } ?? "remove it"))
        }
    }

    // MARK: Files

    private mutating func read(_ path: String) -> TextFile? {
        do throws(ConfigurationFault) {
            return try TextFile(path: path)
        } catch {
            faults.append(error)
            return nil
        }
    }

    private mutating func warnIfExposed(_ file: TextFile, _ path: String, _ keys: [ConfigurationKey]) {
        guard file.isReadableByOthers, let key = keys.first(where: \.isSecret) else { return }
        notices.append("\(path): holds \(key.path) and can be read by everyone on this machine: chmod 0640 \(path)")
    }
}
