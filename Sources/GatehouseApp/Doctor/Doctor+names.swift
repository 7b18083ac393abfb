import GateACME
import GateCore
import GateHTTP
import GateNet

extension Doctor {
    /// What the world says of one name, and who is at each of its addresses.
    func examine(_ name: String, proof: DoctorProof?, hasOwnListeners: Bool) async -> NameFacts {
        let late = DNSError(.timedOut, "the name servers did not tell of \(name) within \(settings.timeLimit.text)")
        var facts = NameFacts(name: name, ipv4: .failed(late, answersUnchecked: false), ipv6: .failed(late, answersUnchecked: false))
        if let known = Self.knownAddresses(name) {
            facts = NameFacts(name: name, ipv4: .known(known, name), ipv6: .known([], name))
        } else if let dnsName = DNSName(name) {
            let survey = NameSurvey(DNSClient(settings.resolver, entropy: entropy), zonePort: settings.zonePort)
            let needsCAA = configuration.tls.mode == .acme
            facts = await limited(to: settings.timeLimit, late: facts) { await survey.examine(dnsName, needsCAA: needsCAA) }
            facts.name = name
        }
        facts.visits = await visits(name, facts.addresses, proof: proof, hasOwnListeners: hasOwnListeners)
        return facts
    }

    private func visits(_ name: String, _ addresses: [IPAddress], proof: DoctorProof?, hasOwnListeners: Bool) async -> [Visit] {
        let visitor = AddressVisitor(proof: proof, time: time, entropy: entropy)
        let plans = PortPlan.ports(of: name, configuration, httpPort: settings.httpPort, httpsPort: settings.httpsPort)
        // A zone with a hundred addresses is somebody else's.
        let places = addresses.prefix(8).flatMap { address in plans.map { (address, $0) } }
        return await withTaskGroup(of: (Int, Visit).self) { group in
            for (index, (address, plan)) in places.enumerated() {
                group.addTask {
                    let visit = await visitor.visit(name, at: address, port: plan.port, isTLS: plan.isTLS)
                    guard plan.isTLS, hasOwnListeners, case .noTLS = visit.outcome else { return (index, visit) }
                    // The doctor's own listeners have no certificate.
                    let plain = await visitor.visit(name, at: address, port: plan.port, isTLS: false)
                    return (index, plain.outcome == .ours ? plain : visit)
                }
            }
            return await group.reduce(into: [(Int, Visit)]()) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// In the order in which they are told.
    /// - Parameter account: the URL of the account with the authority.
    func findings(
        _ facts: NameFacts, _ authority: AuthorityFacts?, account: String?, _ server: ServerState, _ holders: PortHolders
    ) -> [Finding] {
        let plans = PortPlan.ports(of: facts.name, configuration, httpPort: settings.httpPort, httpsPort: settings.httpsPort)
        var findings: [Finding] = []
        if Self.knownAddresses(facts.name) != nil {
            findings.append(Finding("DNS", facts.name, .skipped, "\(facts.name) needs no name server."))
        } else {
            findings += AddressCheck(
                facts: facts, local: local, port: plans.first?.port ?? settings.httpPort,
                needsPublicAddress: configuration.tls.mode == .acme && configuration.acme.caFile == nil
            ).findings()
            if let authority {
                findings.append(
                    CAACheck(
                        name: facts.name, caa: facts.caa, identities: authority.directory?.caaIdentities ?? [],
                        authority: authority.url.host,
                        methods: configuration.acme.challenges.map(\.rawValue),
                        account: account
                    ).finding())
            }
        }
        for visit in facts.visits {
            guard let plan = plans.first(where: { $0.port == visit.port }) else { continue }
            findings.append(
                PortCheck(
                    name: facts.name, visit: visit, need: plan.need, isLocal: local.contains(visit.address),
                    holder: holders.holder(of: visit.port, at: visit.address), server: server, key: plan.key,
                    isConfigured: plan.isConfigured
                ).finding())
            if let presented = PresentedCheck(name: facts.name, visit: visit, mode: configuration.tls.mode, now: time.now()).finding() {
                findings.append(presented)
            }
        }
        return findings
    }

    /// Of what is an address, or means this machine (RFC 6761 §6.3). `nil`: name servers know.
    private static func knownAddresses(_ name: String) -> [IPAddress]? {
        if let address = IPAddress(name) { return [address] }
        return name == "localhost" || name.hasSuffix(".localhost") ? [IPAddress(ipv4: 0x7F00_0001)] : nil
    }
}

extension Lookup {
    fileprivate static func known(_ addresses: [IPAddress], _ name: String) -> Lookup {
        .answer(
            DNSAnswer(
                question: DNSQuestion(.root, .a), existence: addresses.isEmpty ? .noRecords : .found,
                records: addresses.map { DNSRecord(.root, $0.isIPv4 ? .a : .aaaa, timeToLive: 0, .address($0)) }, aliases: [], zone: nil,
                isAuthenticated: false))
    }
}
