import GateCore
import GateCrypto

extension ConfigurationLoading {
    /// Puts in the defaults that depend on the machine, on systemd and on other settings.
    mutating func derive(cores: Int) {
        // Where several folders are given they are separated by colons (systemd.exec(5)).
        func folder(_ variable: String) -> String? {
            environment[variable]?.split(separator: ":").first.map(String.init)
        }
        if isDefault("data_dir"), let state = folder("STATE_DIRECTORY") { configuration.dataDirectory = state }
        if isDefault("listen.admin") {
            configuration.listen.admin = configuration.dataDirectory + "/admin.sock"
        }
        deriveTLS()
        deriveRedis()
        if isDefault("auth.issuer") { configuration.auth.issuer = configuration.publicURL.description }
        if isDefault("auth.audience") { configuration.auth.audience = configuration.publicURL.description }
        if isDefault("auth.hash_threads") { configuration.auth.hashThreads = min(max(cores, 1), 256) }
        if isDefault("headers.hsts"), configuration.publicURL.scheme == .https {
            configuration.headers.hsts = .seconds(365 * 86_400)
        }
    }

    /// Whether no source set the key.
    func isDefault(_ path: String) -> Bool { origins[path] == nil }

    /// Rules between settings. Each fault stands at the setting that was written, the stronger one where both were.
    mutating func crossCheck() {
        let auth = configuration.auth
        check(
            auth.accessTokenLifetime <= auth.sessionLifetime, "auth.access_token_lifetime", "auth.session_lifetime",
            "auth.access_token_lifetime (\(auth.accessTokenLifetime.text)) is longer than auth.session_lifetime (\(auth.sessionLifetime.text))",
            cure: "shorten the former or lengthen the latter")
        check(
            auth.password.minLength <= auth.password.maxLength, "auth.password.min_length", "auth.password.max_length",
            "auth.password.min_length (\(auth.password.minLength)) is above auth.password.max_length (\(auth.password.maxLength))",
            cure: "lower the former or raise the latter")
        let failed = configuration.limits.failedLogin
        check(
            failed.firstWait <= failed.maxWait, "limits.failed_login.first_wait", "limits.failed_login.max_wait",
            "limits.failed_login.first_wait (\(failed.firstWait.text)) is longer than limits.failed_login.max_wait (\(failed.maxWait.text))",
            cure: "shorten the former or lengthen the latter")
        check(
            failed.maxWait <= failed.remember, "limits.failed_login.max_wait", "limits.failed_login.remember",
            "limits.failed_login.max_wait (\(failed.maxWait.text)) is longer than limits.failed_login.remember (\(failed.remember.text))",
            cure: "shorten the former or lengthen the latter")
        check(
            configuration.headers.hsts == .zero || configuration.publicURL.scheme == .https, "headers.hsts", "public_url",
            "headers.hsts is set, but public_url is plain HTTP, where browsers ignore it", cure: "remove it, or write public_url with https"
        )
        check(
            configuration.headers.hsts.components.attoseconds == 0, "headers.hsts", "headers.hsts", "headers.hsts is not in whole seconds",
            cure: "round it")
        checkAddresses()
        checkTLS()
        checkRedis()
        checkSites()
        if auth.jwtSecret != nil, auth.signing != .hs256, let place = origins["auth.jwt_secret"] {
            notices.append("\(place): auth.jwt_secret is not used: auth.signing is \(auth.signing.rawValue)")
        }
    }

    private mutating func checkAddresses() {
        check(
            !configuration.listen.http.isEmpty || !configuration.listen.https.isEmpty, "listen.http", "listen.http",
            "listen.http names no address", cure: "write one, such as 127.0.0.1:8080")
        let addresses =
            configuration.listen.http.map { (key: "listen.http", address: $0) }
            + configuration.listen.https.map { (key: "listen.https", address: $0) }
        for (index, (key, address)) in addresses.enumerated() where address.port != 0 {
            for (otherKey, other) in addresses[..<index] where address.overlaps(other) {
                let problem =
                    address == other && key == otherKey
                    ? "\(key) names \(address) twice" : "\(key) names \(address) beside \(other) of \(otherKey): they are the same port"
                check(false, key, otherKey, problem, cure: key == otherKey ? "remove one of the two" : "choose another port")
            }
            guard let metrics = configuration.metrics.address, metrics.port != 0 else { continue }
            check(
                !metrics.overlaps(address), "metrics.address", key, "metrics.address \(metrics) is taken by \(key)",
                cure: "choose another port")
        }
        if let path = socketPathFault(configuration.listen.admin) {
            check(false, "listen.admin", "data_dir", path.problem, cure: path.cure)
        }
    }

    /// The derived path of the admin socket is not checked by its key.
    private func socketPathFault(_ path: String) -> InvalidValue? {
        do throws(InvalidValue) {
            _ = try socketPath(path)
            return nil
        } catch {
            return InvalidValue(
                "listen.admin (\(path)) \(error.problem)", cure: "set listen.admin to a shorter path, such as /run/gatehouse/admin.sock")
        }
    }

    mutating func check(_ holds: Bool, _ path: String, _ other: String, _ problem: String, cure: String) {
        guard !holds else { return }
        faults.append(ConfigurationFault(origins[path] ?? origins[other] ?? .default, problem, cure: cure))
    }
}
