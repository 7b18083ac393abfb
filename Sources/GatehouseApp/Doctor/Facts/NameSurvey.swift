import GateCore
package import GateNet

/// Asks name servers about a name: the resolver first, then the servers of its zone.
package struct NameSurvey: Sendable {
    private let client: DNSClient
    private let zonePort: Int

    /// - Parameter zonePort: where the servers of zones are asked; 53 but in tests.
    package init(_ client: DNSClient, zonePort: Int = 53) {
        self.client = client
        self.zonePort = zonePort
    }

    /// - Parameter needsCAA: whether a certificate is to be ordered for it.
    package func examine(_ name: DNSName, needsCAA: Bool) async -> NameFacts {
        async let ipv4 = lookup(.a, name)
        async let ipv6 = lookup(.aaaa, name)
        async let servers = zoneServers(name)
        async let caa = needsCAA ? relevantCAA(name) : .success(CAASet(domain: nil, records: []))
        return await NameFacts(name: name.description, ipv4: ipv4, ipv6: ipv6, zoneServers: servers, caa: caa)
    }

    private func lookup(_ type: DNSRecordType, _ name: DNSName) async -> Lookup {
        do throws(DNSError) {
            return .answer(try await client.records(type, of: name))
        } catch {
            guard error.reason == .serverFailure else { return .failed(error, answersUnchecked: false) }
            let unchecked = try? await client.records(type, of: name, isCheckingDisabled: true)
            return .failed(error, answersUnchecked: unchecked != nil)
        }
    }

    private func relevantCAA(_ name: DNSName) async -> Result<CAASet, DNSError> {
        do throws(DNSError) { return .success(try await client.relevantCAA(for: name)) } catch { return .failure(error) }
    }

    /// The servers of the nearest zone above `name`, each asked for itself. None where the resolver knows no zone: then there is nothing
    /// to compare.
    private func zoneServers(_ name: DNSName) async -> [ZoneServer] {
        var zone: DNSName? = name
        while let current = zone, current.labels.count > 1 {
            let servers = (try? await client.records(.ns, of: current))?.records.compactMap(\.target) ?? []
            if !servers.isEmpty {
                return await withTaskGroup(of: ZoneServer?.self) { group in
                    // A handful is enough: a zone with more has many places of one provider.
                    for server in servers.prefix(8) { group.addTask { await view(of: server, name) } }
                    return await group.reduce(into: []) { if let view = $1 { $0.append(view) } }.sorted { $0.name < $1.name }
                }
            }
            zone = current.parent
        }
        return []
    }

    /// `nil` where this machine has no way to the server.
    private func view(of server: DNSName, _ name: DNSName) async -> ZoneServer? {
        let addresses = (try? await client.records(.a, of: server))?.records.compactMap(\.address) ?? []
        guard let address = addresses.first else { return nil }
        let zoneClient = client.asking([DNSServer(address, port: zonePort)])
        do throws(DNSError) {
            let ipv4 = try await zoneClient.authoritativeRecords(.a, of: name)
            let ipv6 = try await zoneClient.authoritativeRecords(.aaaa, of: name)
            // An alias out of the zone: what it leads to is not this server's to say.
            guard ipv4.aliases.isEmpty, ipv6.aliases.isEmpty else { return nil }
            return ZoneServer(name: server.description, answer: .success(Set((ipv4.records + ipv6.records).compactMap(\.address))))
        } catch {
            return ZoneServer(name: server.description, answer: .failure(error))
        }
    }
}
