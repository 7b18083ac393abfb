package import GateCore
package import GateHTTP
import NIOCore
import NIOHTTP1

/// Fetches an authority's directory, and compares clocks with it.
package struct AuthoritySurvey: Sendable {
    private let http: any OutgoingHTTP
    private let time: any TimeSource

    package init(_ http: any OutgoingHTTP, time: any TimeSource) {
        self.http = http
        self.time = time
    }

    package func examine(_ url: HTTPURL) async -> AuthorityFacts {
        let before = time.now()
        do throws(OutgoingError) {
            // RFC 8555 §6.1: a client names itself.
            let headers: HTTPHeaders = ["accept": "application/json", "user-agent": "gatehouse-doctor/\(GatehouseVersion.current)"]
            let response = try await http.send(
                OutgoingRequest(.GET, url, headers: headers, timeLimit: .seconds(15), responseLimit: 1 << 18))
            let after = time.now()
            return AuthorityFacts(
                url: url, outcome: .success(Self.directory(response)),
                clockDifference: response.headers.first(name: "date").flatMap { Timestamp(httpDate: $0) }.map {
                    Self.difference(before, after, $0)
                })
        } catch {
            return AuthorityFacts(url: url, outcome: .failure(error))
        }
    }

    /// `Date` is in whole seconds, of a moment between the two: zero where it fits in between.
    private static func difference(_ before: Timestamp, _ after: Timestamp, _ date: Timestamp) -> Duration {
        if before > date + .seconds(1) { return before - (date + .seconds(1)) }
        return after < date ? after - date : .zero
    }

    private static func directory(_ response: OutgoingResponse) -> AuthorityFacts.Directory {
        let json = (try? JSON(parsing: Array(buffer: response.body))) ?? .null
        let meta = json["meta"]
        return AuthorityFacts.Directory(
            status: Int(response.status.code), isDirectory: json["newOrder"]?.string != nil,
            termsOfService: meta?["termsOfService"]?.string, caaIdentities: (meta?["caaIdentities"]?.array ?? []).compactMap(\.string),
            needsExternalAccount: meta?["externalAccountRequired"]?.bool ?? false,
            profiles: (meta?["profiles"]?.members ?? []).map(\.name))
    }
}
