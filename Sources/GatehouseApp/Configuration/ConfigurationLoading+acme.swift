import GateCore
import GateHTTP
import GateProxy

extension ConfigurationLoading {
    /// Rules for certificates by ACME.
    mutating func checkACME() {
        let acme = configuration.acme
        for (index, name) in acme.domains.enumerated() {
            if let fault = Self.fault(ofName: name) {
                check(false, "acme.domains", "public_url", "no certificate can be ordered for \(name): \(fault.problem)", cure: fault.cure)
            }
            check(
                !acme.domains[..<index].contains(name), "acme.domains", "acme.domains", "acme.domains names \(name) twice",
                cure: "remove one of the two")
        }
        let host = configuration.publicURL.host
        check(
            acme.domains.contains(host), "acme.domains", "public_url", "acme.domains does not name \(host), the host of public_url",
            cure: "add it, or leave acme.domains out")
        check(
            !acme.challenges.isEmpty && Set(acme.challenges).count == acme.challenges.count, "acme.challenges", "acme.challenges",
            "acme.challenges names none, or one twice", cure: "leave it out, or write http-01, tls-alpn-01 or both")
        check(
            acme.challenges != [.http01] || !configuration.listen.http.isEmpty, "acme.challenges", "listen.http",
            "acme.challenges is http-01 alone, but listen.http names no address to answer on",
            cure: "add tls-alpn-01, or an address to listen.http")
        noteUncertified()
        checkAccount(acme.externalAccount, prefix: "acme.eab")
        checkAccount(acme.fallbackExternalAccount, prefix: "acme.fallback_eab")
        check(
            acme.fallbackDirectory != nil || acme.fallbackExternalAccount.keyID == nil, "acme.fallback_eab_key_id",
            "acme.fallback_directory", "acme.fallback_eab_key_id is set without acme.fallback_directory",
            cure: "set acme.fallback_directory, or remove it")
        for (path, directory) in [("acme.fallback_directory", acme.fallbackDirectory), ("acme.staging_directory", acme.stagingDirectory)] {
            check(
                directory != acme.directory, path, "acme.directory", "\(path) is the same as acme.directory", cure: "name another, or none")
        }
    }

    /// The hosts of the sites that certificates can be ordered for.
    var certifiableHostsOfSites: [String] { hostsOfSites.filter { Self.fault(ofName: $0) == nil } }

    /// Hosts of sites that are served without a certificate of their own.
    private mutating func noteUncertified() {
        for (index, site) in configuration.sites.enumerated() {
            for host in site.hosts {
                let reason: String
                switch host {
                case .any: continue
                case .wildcard:
                    reason = "a certificate for \(host.text) needs a challenge over DNS: name in acme.domains those that are used"
                case .exact(let name):
                    if configuration.acme.domains.contains(name) { continue }
                    reason =
                        Self.fault(ofName: name).map { "no certificate can be ordered for \(name): \($0.problem)" }
                        ?? "acme.domains does not name \(name), so there is no certificate for it"
                }
                notices.append("\(siteOrigins[index]["host"] ?? sitePlaces[index]): \(reason)")
            }
        }
    }

    private mutating func checkAccount(_ account: Configuration.ACME.ExternalAccount, prefix: String) {
        check(
            (account.keyID == nil) == (account.hmacKey == nil), "\(prefix)_key_id", "\(prefix)_hmac_key",
            "\(prefix)_key_id and \(prefix)_hmac_key belong together, and one is missing", cure: "set both, as the authority gave them")
    }

    /// Why no public authority would certify `name`.
    private static func fault(ofName name: String) -> InvalidValue? {
        let cure = "use a name that the DNS knows, such as app.example.com, or set tls.mode to self-signed"
        if name.hasPrefix("*.") {
            return InvalidValue("names with * need a challenge over DNS, which is not available", cure: "write out each name")
        }
        if IPAddress(name) != nil || name.hasPrefix("[") { return InvalidValue("it is an address", cure: cure) }
        guard HostName.isValid(name), !name.contains("_") else { return InvalidValue("it is no host name", cure: cure) }
        guard name.contains("."), !name.hasSuffix(".localhost"), !name.hasSuffix(".local"), !name.hasSuffix(".internal") else {
            return InvalidValue("only this network knows it", cure: cure)
        }
        return nil
    }
}
