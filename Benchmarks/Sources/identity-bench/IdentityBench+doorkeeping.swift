import GateAccess
import GateCore
import GateCrypto
import GateHTTP
import GateIdentity
import GateLimits
import Logging
import NIOHTTP1

extension IdentityBench {
    /// Nanoseconds for what the doorkeeper does to a request of a browser, from its head to the fields that the application is sent.
    static func doorkeeping(_ bench: Accounts, _ writer: inout JSONWriter) async throws {
        let signIns = try await bench.register(1000)
        let doorkeeper = Doorkeeper(
            identity: bench.identity, limits: RequestLimits(store: MemoryLimitStore(time: time), policies: [:]),
            assertions: AssertionIssuer(
                issuer: "https://app.example.com",
                keys: SigningKeyRing(current: try SigningKey.generate(.edDSA, id: "bench", entropy: bench.identity.entropy))),
            cookie: SessionCookie(isSecure: true), cors: CORSPolicy(origins: []), publicURL: "https://app.example.com", time: time,
            log: Logger(label: "bench"))
        let plenty = RoutePolicy(LimitPolicy(name: "site", limit: 1_000_000_000, window: .seconds(60)), key: .user)
        let anonymous = [request([])]
        let byCookie = signIns.map { request([("cookie", "theme=dark; __Host-gatehouse=\(text($0.cookieToken))")]) }
        let byToken = signIns.map { request([("authorization", "Bearer \(text($0.accessToken))")]) }
        for signIn in signIns { _ = try await bench.identity.authenticate(cookie: text(signIn.cookieToken)) }
        let rows: [(name: String, door: Door, requests: [Request])] = [
            ("public", Door(name: "public", access: .everyone, policies: []), anonymous),
            ("public_limited", Door(name: "public", access: .everyone, policies: [plenty]), anonymous),
            ("cookie", Door(name: "cookie", access: .signedIn, policies: []), [byCookie[0]]),
            ("cookie_limited", Door(name: "cookie", access: .signedIn, policies: [plenty]), [byCookie[0]]),
            ("cookie_limited_of_1000", Door(name: "cookie", access: .signedIn, policies: [plenty]), byCookie),
            ("bearer", Door(name: "bearer", access: .signedIn, policies: []), [byToken[0]]),
            ("bearer_limited", Door(name: "bearer", access: .signedIn, policies: [plenty]), [byToken[0]]),
            ("bearer_limited_of_1000", Door(name: "bearer", access: .signedIn, policies: [plenty]), byToken),
        ]
        writer.name("door_ns")
        writer.beginObject()
        for row in rows {
            writer.member(
                row.name,
                nanoseconds { step in
                    guard case .admitted = doorkeeper.admit(row.requests[step % row.requests.count], at: row.door) else {
                        preconditionFailure("\(row.name) was not admitted in place")
                    }
                })
        }
        writer.endObject()
    }

    private static func text(_ secret: Secret) -> String { String(decoding: secret.exposed, as: UTF8.self) }

    private static func request(_ credentials: [(String, String)]) -> Request {
        let fields = [
            ("Host", "app.example.com"), ("User-Agent", Accounts.device.userAgent ?? ""), ("Accept", "application/json, text/plain, */*"),
            ("Accept-Language", "en-US,en;q=0.5"), ("Accept-Encoding", "gzip, deflate, br, zstd"),
            ("Referer", "https://app.example.com/dashboard"), ("Sec-Fetch-Dest", "empty"), ("Sec-Fetch-Mode", "cors"),
            ("Sec-Fetch-Site", "same-origin"), ("Priority", "u=4"),
        ]
        return Request(
            id: RequestID(value: 1), method: .GET, target: RequestTarget("/api/items?page=2")!, headers: HTTPHeaders(fields + credentials),
            client: IPAddress("192.0.2.1"), scheme: .https, authority: "app.example.com")
    }
}
