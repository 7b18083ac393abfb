package import GateCore
package import GateCrypto
package import GateNet

/// What the world says about one name of the configuration.
package struct NameFacts: Sendable {
    package var name: String
    package var ipv4: Lookup
    package var ipv6: Lookup
    /// What each server of its zone says by itself.
    package var zoneServers: [ZoneServer]
    package var caa: Result<CAASet, DNSError>
    /// One for each address and port that was tried.
    package var visits: [Visit]

    package var addresses: [IPAddress] { ipv4.addresses + ipv6.addresses }

    package init(
        name: String, ipv4: Lookup, ipv6: Lookup, zoneServers: [ZoneServer] = [],
        caa: Result<CAASet, DNSError> = .success(CAASet(domain: nil, records: [])), visits: [Visit] = []
    ) {
        self.name = name
        self.ipv4 = ipv4
        self.ipv6 = ipv6
        self.zoneServers = zoneServers
        self.caa = caa
        self.visits = visits
    }
}

package enum Lookup: Hashable, Sendable {
    case answer(DNSAnswer)
    /// - Parameter answersUnchecked: there is an answer where DNSSEC is not checked.
    case failed(DNSError, answersUnchecked: Bool)

    package var addresses: [IPAddress] {
        guard case .answer(let answer) = self else { return [] }
        return answer.records.compactMap(\.address)
    }

    package var answer: DNSAnswer? { if case .answer(let answer) = self { answer } else { nil } }
}

/// A name server of the zone, and the addresses that it gives.
package struct ZoneServer: Hashable, Sendable {
    package var name: String
    package var answer: Result<Set<IPAddress>, DNSError>

    package init(name: String, answer: Result<Set<IPAddress>, DNSError>) {
        self.name = name
        self.answer = answer
    }
}

/// A connection to exactly one address, and who was there.
package struct Visit: Sendable {
    package var address: IPAddress
    package var port: Int
    package var isTLS: Bool
    package var outcome: Outcome
    /// What was presented, over TLS; and why clients would not trust it.
    package var certificate: Certificate?
    package var distrust: CertificateFault?

    package enum Outcome: Hashable, Sendable {
        /// It proved to be this server.
        case ours
        /// Something answers in HTTP, and gave no proof, or there is nothing to tell it by.
        case other(Stranger)
        case refused
        case timedOut
        /// No way there; with the system's words.
        case unreachable(String)
        /// Connected, and what came is no HTTP; with what was wrong.
        case noHTTP(String)
        /// Connected, and there is no TLS.
        case noTLS(String)
    }

    package struct Stranger: Hashable, Sendable {
        package var status: Int
        /// Its `Server` field.
        package var server: String?
        /// Where it sends clients, if it does.
        package var location: String?

        package init(status: Int, server: String? = nil, location: String? = nil) {
            self.status = status
            self.server = server
            self.location = location
        }
    }

    package init(
        address: IPAddress, port: Int, isTLS: Bool, outcome: Outcome, certificate: Certificate? = nil, distrust: CertificateFault? = nil
    ) {
        self.address = address
        self.port = port
        self.isTLS = isTLS
        self.outcome = outcome
        self.certificate = certificate
        self.distrust = distrust
    }

    /// `192.0.2.1:80`, `[2001:db8::1]:80`.
    package var place: String { address.isIPv4 ? "\(address):\(port)" : "[\(address)]:\(port)" }
}
