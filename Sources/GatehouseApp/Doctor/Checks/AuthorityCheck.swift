import GateHTTP

/// Whether the authority can be reached and trusted, and wants nothing that is not configured.
struct AuthorityCheck {
    let facts: AuthorityFacts
    /// `acme.ca_file`.
    let caFile: String?
    let hasExternalAccount: Bool
    /// `acme.profile`.
    let profile: String?

    func findings() -> [Finding] {
        switch facts.outcome {
        case .failure(let error): [unreachable(error)]
        case .success(let directory) where directory.status != 200 || !directory.isDirectory:
            [
                say(
                    .problem, "\(facts.url) answers with status \(directory.status), and it is no ACME directory.",
                    directory.status >= 500
                        ? "The authority has trouble of its own: wait, and see its status page."
                        : "Correct acme.directory; Let's Encrypt's is \(Configuration.ACME.letsEncrypt).")
            ]
        case .success(let directory): judge(directory)
        }
    }

    private func judge(_ directory: AuthorityFacts.Directory) -> [Finding] {
        let terms = directory.termsOfService.map { " Its terms of service, which using it accepts: \($0)" } ?? ""
        var findings = [say(.ok, "\(facts.url.host) can be reached and is trusted.\(terms)")]
        if directory.needsExternalAccount, !hasExternalAccount {
            findings.append(
                Finding(
                    "account", Finding.authority, .problem,
                    "\(facts.url.host) wants an account that is bound to one of its customers, and none is configured.",
                    advice: "Get a key id and an HMAC key from the authority, and set acme.eab.key_id and acme.eab.hmac_key."))
        }
        if let profile, !directory.profiles.contains(profile) {
            let known = directory.profiles.isEmpty ? "It has none." : "It has \(directory.profiles.sorted().joined(separator: ", "))."
            findings.append(
                Finding(
                    "profile", Finding.authority, .problem, "\(facts.url.host) has no certificate profile \"\(profile)\". \(known)",
                    advice: "Correct acme.profile, or leave it out."))
        }
        return findings
    }

    private func unreachable(_ error: OutgoingError) -> Finding {
        let host = facts.url.host
        let seen = "The directory \(facts.url) cannot be fetched: \(error)."
        switch error.reason {
        case .nameNotFound:
            return say(.problem, seen, "See /etc/resolv.conf, and that acme.directory is spelled right.")
        case .untrustedCertificate:
            return say(
                .problem, seen,
                caFile == nil
                    ? "See that the package ca-certificates is installed and this machine's clock is right; for an authority of your own, set "
                        + "acme.ca_file to its root certificate."
                    : "acme.ca_file must hold the root certificate that \(host)'s own certificate leads to, and that certificate must name \(host)."
            )
        case .timedOut, .connectionFailed, .refused:
            return say(
                .problem, seen, "Let this machine connect to \(host) on port \(facts.url.port): see its firewall, its routes and any proxy."
            )
        case .tls, .disconnected, .badResponse:
            return say(
                .problem, seen, "Something between here and \(host) may open connections on their way; see it by: curl -v \(facts.url)")
        default:
            return say(.problem, seen, "See it by: curl -v \(facts.url)")
        }
    }

    private func say(_ status: Finding.Status, _ seen: String, _ advice: String? = nil) -> Finding {
        Finding("directory", Finding.authority, status, seen, advice: advice)
    }
}
