import GateCore
import GateNet

/// Whether a name leads here: its addresses exist, its servers agree, and every one of its addresses is this machine's or ends at this
/// server.
struct AddressCheck {
    let facts: NameFacts
    let local: LocalAddresses
    /// Where clients connect first: the visits there tell whether an address leads here.
    let port: Int
    /// Whether an authority on the Internet is to find its way here.
    var needsPublicAddress = false

    func findings() -> [Finding] {
        let lookups = [(DNSRecordType.a, facts.ipv4), (.aaaa, facts.ipv6)]
        let failures = lookups.compactMap { type, lookup -> Finding? in
            guard case .failed(let error, let answersUnchecked) = lookup else { return nil }
            return failure(type, error, answersUnchecked)
        }
        // The same for both types is told once.
        guard failures.count < 2 else { return [failures[0]] }
        guard !facts.addresses.isEmpty else { return failures.isEmpty ? [noAddress] : failures }
        return failures + facts.addresses.map(address) + agreement
    }

    private func finding(_ status: Finding.Status, _ seen: String, _ advice: String? = nil) -> Finding {
        Finding("DNS", facts.name, status, seen, advice: advice)
    }

    private var noAddress: Finding {
        let names = facts.ipv4.answer.map(\.aliases)?.map(\.description) ?? []
        let alias = names.isEmpty ? "" : " (an alias of \(names.joined(separator: ", then ")))"
        if facts.ipv4.answer?.existence == .noSuchName {
            let missing = names.last ?? facts.name
            return finding(
                .problem,
                names.isEmpty ? "\(missing) does not exist in the DNS." : "\(facts.name) is an alias of \(missing), which does not exist.",
                "Where the zone is kept, make \(recordsToMake(for: missing)). A new record can take an hour to be seen everywhere.")
        }
        return finding(
            .problem, "\(facts.name)\(alias) exists in the DNS, and has no address.",
            "Where the zone is kept, make \(recordsToMake(for: names.last ?? facts.name)).")
    }

    private func recordsToMake(for name: String) -> String {
        let ipv4 = local.publicAddresses(isIPv4: true).first.map { "an A record \(name) with \($0)" }
        let ipv6 = local.publicAddresses(isIPv4: false).first.map { "an AAAA record with \($0)" }
        let parts = [ipv4, ipv6].compactMap { $0 }
        return parts.isEmpty
            ? "an A record \(name) with the public IPv4 address under which this machine is reached" : parts.joined(separator: ", and ")
    }

    private func failure(_ type: DNSRecordType, _ error: DNSError, _ answersUnchecked: Bool) -> Finding {
        switch error.reason {
        case .serverFailure where answersUnchecked || error.extended.contains(where: \.isSecurityFailure):
            finding(
                .problem, "The DNSSEC signatures of \(facts.name) do not verify, so its addresses are refused: \(error).",
                "Sign the zone anew, or correct its DS record at the registrar. https://dnsviz.net/d/\(facts.name)/ shows where the chain "
                    + "breaks. Certificate authorities check DNSSEC, and refuse until then.")
        case .serverFailure:
            finding(
                .problem, "The name servers of \(facts.name) fail: \(error).",
                "See at the registrar that the domain is delegated to the name servers that keep its zone, and that each of them answers.")
        case .timedOut, .unreachable:
            finding(
                .problem, "No name server answered: \(error).",
                "See /etc/resolv.conf, and that the firewall lets port 53 out (UDP and TCP). Another resolver can be tried: "
                    + "gatehouse doctor --resolver 9.9.9.9")
        case .refused:
            finding(
                .problem, "The name server declines to answer: \(error).",
                "It may not be meant for this machine: see /etc/resolv.conf, or try another: gatehouse doctor --resolver 9.9.9.9")
        case .aliasLoop:
            finding(.problem, "\(error).", "Where the zone is kept, let the last CNAME name a host that has addresses.")
        case .badResponse, .cancelled:
            finding(
                .warning, "The \(type) records of \(facts.name) could not be read: \(error).",
                "Something between here and the name server may change its answers. Try another: gatehouse doctor --resolver 9.9.9.9")
        }
    }

    private func address(_ address: IPAddress) -> Finding {
        let type = address.isIPv4 ? "A" : "AAAA"
        let visit = facts.visits.first { $0.address == address && $0.port == port }
        let other = facts.visits.contains { $0.address == address && $0.outcome == .ours }
        if local.contains(address) {
            if !PublicInternet.contains(address) {
                let words = "\(type) \(address) is this machine's, and a private address, which only its own network reaches"
                guard needsPublicAddress else { return finding(.ok, words + ".") }
                return finding(
                    .problem, words + ": the authority does not.",
                    "Let the record name the public address under which this machine is reached; for an authority of your own network, set "
                        + "acme.ca_file.")
            }
            return finding(.ok, "\(type) \(address) is this machine's.")
        }
        if visit?.outcome == .ours || other {
            return finding(.ok, "\(type) \(address) leads here, though no interface has it: NAT, or a proxy in front.")
        }
        return elsewhere(type, address, visit)
    }

    private func elsewhere(_ type: String, _ address: IPAddress, _ visit: Visit?) -> Finding {
        let ours = local.publicAddresses(isIPv4: address.isIPv4)
        if !PublicInternet.contains(address) {
            return finding(
                .problem, "\(type) \(address) is a private address, and none of this machine's: the Internet cannot reach it.",
                "Let the record name the public address under which this machine is reached.")
        }
        if !address.isIPv4 {
            let remedy =
                ours.first.map { "Set it to \($0), which is this machine's, or remove it." }
                ?? "Remove it: this machine has no public IPv6 address."
            return finding(
                .problem,
                "AAAA \(address) does not lead here: a stale IPv6 record. Certificate authorities, and most clients, try IPv6 first.",
                remedy)
        }
        if let here = ours.first {
            return finding(
                .problem, "A \(address) does not lead here: this machine is \(here).",
                "Set the A record of \(facts.name) to \(here), or run gatehouse doctor where \(address) is.")
        }
        let isSilent = visit.map { [.timedOut, .refused].contains($0.outcome) } ?? true
        return finding(
            isSilent ? .warning : .problem,
            "A \(address) is none of this machine's addresses, and did not lead back here. Behind NAT that may be the router's doing: not "
                + "every router lets a machine reach itself from inside.",
            "See that \(address) is the router's public address and that it forwards port \(port) to this machine; then ask from outside: "
                + "curl -i http://\(facts.name)\(port == 80 ? "" : ":\(port)")/health")
    }

    private var agreement: [Finding] {
        var findings: [Finding] = []
        let failed = facts.zoneServers.filter { if case .failure = $0.answer { true } else { false } }
        if !failed.isEmpty, failed.count < facts.zoneServers.count {
            let words = failed.map { server -> String in
                guard case .failure(let error) = server.answer else { return server.name }
                return "\(server.name) (\(error.reason.words))"
            }
            findings.append(
                finding(
                    .warning, "Not every name server of the zone answers for \(facts.name): \(words.joined(separator: ", ")).",
                    "Certificate authorities ask any of them. Repair it, or take it out of the delegation."))
        }
        let views = facts.zoneServers.compactMap { server -> (name: String, addresses: Set<IPAddress>)? in
            (try? server.answer.get()).map { (server.name, $0) }
        }
        if Set(views.map(\.addresses)).count > 1 {
            let words = views.map { view in
                "\(view.name) says \(view.addresses.isEmpty ? "none" : view.addresses.map(\.description).sorted().joined(separator: ", "))"
            }
            findings.append(
                finding(
                    .warning,
                    "The name servers of the zone do not agree on the addresses of \(facts.name): \(words.joined(separator: "; ")).",
                    "Where this is meant (by place, or in turn), every address must lead here. Otherwise wait until the change has reached all "
                        + "of them, or see why the zone is not transferred."))
        }
        return findings
    }
}

extension DNSError.Reason {
    var words: String {
        switch self {
        case .timedOut: "no answer in time"
        case .unreachable: "cannot be reached"
        case .serverFailure: "SERVFAIL"
        case .refused: "declines to answer"
        case .badResponse: "no proper answer"
        case .aliasLoop: "aliases without end"
        case .cancelled: "given up"
        }
    }
}
