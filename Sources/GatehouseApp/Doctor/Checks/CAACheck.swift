import GateNet

/// Whether the CAA records of a name let the authority issue (RFC 8659).
struct CAACheck {
    let name: String
    let caa: Result<CAASet, DNSError>
    /// By which the authority calls itself in CAA records; empty: it does not say.
    let identities: [String]
    let authority: String
    /// The challenges that the configuration allows: `http-01`, `tls-alpn-01`.
    let methods: [String]
    /// The URI of the ACME account, where one is registered.
    let account: String?

    func finding() -> Finding {
        switch caa {
        case .failure(let error):
            Finding(
                "CAA", name, .problem, "The CAA records could not be asked for: \(error).",
                advice:
                    "An authority must not issue then (RFC 8659 §3). See that every name server of the zone answers questions of the type CAA; "
                    + "old ones fail at types that they do not know.")
        case .success(let set) where set.records.isEmpty:
            Finding("CAA", name, .ok, "No CAA record restricts who may issue certificates.")
        case .success(let set): judge(set)
        }
    }

    private func judge(_ set: CAASet) -> Finding {
        let place = set.domain?.description ?? name
        guard !identities.isEmpty else {
            return Finding(
                "CAA", name, .skipped,
                "\(place) has CAA records (\(Self.text(set))), and the authority does not say by which name it goes there.")
        }
        let identity = identities[0]
        let example = "\(place). CAA 0 issue \"\(identity)\""
        switch set.permission(for: identities, isWildcard: name.hasPrefix("*."), methods: methods, account: account) {
        case .unrestricted: return Finding("CAA", name, .ok, "The CAA records of \(place) do not restrict who may issue.")
        case .granted: return Finding("CAA", name, .ok, "The CAA records of \(place) allow \(identity).")
        case .others(let others):
            let who = others.isEmpty ? "nobody" : "only \(others.joined(separator: ", "))"
            return Finding(
                "CAA", name, .problem, "The CAA records of \(place) allow \(who) to issue, and not \(authority) (\(identity)).",
                advice: "Add the record: \(example)" + (others.isEmpty ? ", in the place of the one that forbids all" : ""))
        case .otherMethods(let allowed):
            return Finding(
                "CAA", name, .problem,
                "The CAA records of \(place) allow \(identity) the methods \(allowed.joined(separator: ", ")) only; here \(methods.joined(separator: ", ")) "
                    + "can be used.",
                advice: "Add \(methods[0]) to validationmethods in that record, or leave validationmethods out.")
        case .otherAccount(let uri):
            return Finding(
                "CAA", name, .problem,
                "The CAA records of \(place) allow \(identity) for the account \(uri) only; this server's is \(account ?? "").",
                advice: "Set accounturi in that record to \(account ?? ""), or leave accounturi out.")
        case .criticalUnknown(let tag):
            return Finding(
                "CAA", name, .problem,
                "\(place) has a critical CAA record of the kind \"\(tag)\", which authorities do not know: none may issue.",
                advice: "Correct that record, or remove it.")
        }
    }

    private static func text(_ set: CAASet) -> String {
        set.records.map { "\($0.tag) \"\($0.value)\"" }.joined(separator: ", ")
    }
}
