import GateCore
import GateHTTP

extension ConfigurationLoading {
    /// Puts in the defaults around TLS: its mode from what was given, the public URL from the names, the addresses from both.
    mutating func deriveTLS() {
        let givesHTTPS = !isDefault("public_url") && configuration.publicURL.scheme == .https
        if isDefault("tls.mode") {
            if !configuration.tls.certificates.isEmpty {
                configuration.tls.mode = .files
            } else if configuration.acme.email != nil, givesHTTPS || isDefault("public_url") && firstName != nil {
                configuration.tls.mode = .acme
            }
        }
        let mode = configuration.tls.mode
        if isDefault("public_url") { configuration.publicURL = derivedPublicURL }
        let publicURL = configuration.publicURL
        if mode != .off, publicURL.scheme == .https {
            if isDefault("listen.http"), mode == .acme || publicURL.port == 443 { configuration.listen.http = [.anyAddress(port: 80)] }
            if isDefault("listen.https") { configuration.listen.https = [.anyAddress(port: publicURL.port)] }
        }
        if mode == .acme, isDefault("acme.domains"), publicURL.scheme == .https {
            configuration.acme.domains = [publicURL.host] + certifiableHostsOfSites.filter { $0 != publicURL.host }
        }
        if isDefault("acme.staging_directory"), configuration.acme.directory == Configuration.ACME.letsEncrypt {
            configuration.acme.stagingDirectory = Configuration.ACME.letsEncryptStaging
        }
    }

    /// The name that stands for the server where none is given as `public_url`.
    private var firstName: String? {
        configuration.api.host ?? configuration.acme.domains.first ?? certifiableHostsOfSites.first
    }

    private var derivedPublicURL: WebOrigin {
        switch configuration.tls.mode {
        case .acme where firstName != nil: WebOrigin(scheme: .https, host: firstName!, port: 443)
        case .selfSigned:
            // For development: a port that needs no privilege, and a name that means this machine (RFC 6761 §6.3).
            WebOrigin(scheme: .https, host: "localhost", port: configuration.listen.https.lazy.compactMap(\.port).first ?? 8443)
        case .acme, .files, .off:
            WebOrigin(scheme: .http, host: "127.0.0.1", port: configuration.listen.http.lazy.compactMap(\.port).first ?? 8080)
        }
    }

    /// Rules between the settings of TLS and ACME.
    mutating func checkTLS() {
        let mode = configuration.tls.mode
        guard mode != .off else { return checkWithoutTLS() }
        guard configuration.publicURL.scheme == .https else {
            return check(
                false, "public_url", "tls.mode", "public_url (\(configuration.publicURL)) is plain HTTP, but tls.mode is \(mode.rawValue)",
                cure: "write public_url with https, or set tls.mode to off")
        }
        check(
            !configuration.listen.https.isEmpty, "listen.https", "tls.mode",
            "listen.https names no address, but tls.mode is \(mode.rawValue)", cure: "write one, such as :443, or set tls.mode to off")
        switch mode {
        case .acme: checkACME()
        case .files: checkFiles()
        case .selfSigned, .off: break
        }
        if mode != .files { note("tls.certificate", "is not used: tls.mode is \(mode.rawValue)") }
        if mode != .acme { note("acme.email", "is not used: tls.mode is \(mode.rawValue)") }
    }

    private mutating func checkWithoutTLS() {
        check(
            configuration.listen.https.isEmpty, "listen.https", "tls.mode", "listen.https is set, but tls.mode is off",
            cure: "set acme.email and public_url for certificates by ACME, tls.certificate and tls.key for your own, or remove it")
        let reason =
            isDefault("tls.mode") && configuration.publicURL.scheme == .http
            ? "public_url is plain HTTP; write https:// and the name that the certificate is for" : "tls.mode is off"
        note("acme.email", "is not used: \(reason)")
        if isDefault("tls.mode"), configuration.publicURL.scheme == .https, let place = origins["public_url"] {
            notices.append(
                "\(place): public_url is https, but no TLS is configured here: something in front of this server has to do it, "
                    + "or set acme.email for certificates by themselves")
        }
    }

    private mutating func checkFiles() {
        let tls = configuration.tls
        check(
            !tls.certificates.isEmpty, "tls.certificate", "tls.mode", "tls.mode is files, but tls.certificate names none",
            cure: "name the PEM files in tls.certificate and tls.key")
        check(
            tls.certificates.count == tls.keys.count, "tls.key", "tls.certificate",
            "tls.key names \(tls.keys.count) files, and tls.certificate \(tls.certificates.count)",
            cure: "write one key for each certificate, in their order")
    }

    private mutating func note(_ path: String, _ text: String) {
        if let place = origins[path] { notices.append("\(place): \(path) \(text)") }
    }
}
