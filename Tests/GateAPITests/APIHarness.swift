import GateAPI
import GateAccess
import GateCore
import GateCrypto
import GateHTTP
import GateIdentity
import GateLimits
import GateTesting
import Logging
import NIOCore
import NIOHTTP1
import Testing

/// The API over real stores on a database of its own, with a clock that is moved by hand. Nothing listens.
struct APIHarness {
    let time = ManualTime()
    let identity: Identity
    let limits: MemoryLimitStore
    let api: API
    let admin: AdminAPI
    let certificates = ScriptedCertificates()
    let log = LogRecorder()
    let backups = ScriptedBackups()
    private let database: AccountDatabase

    static let origin = "http://gate.test"

    init(
        limits policies: [RequestLimits.Policy: LimitPolicy] = [:], signing: SigningAlgorithm = .hs256,
        registration: IdentityRules.Registration = .open,
        origins: [String] = [], secure: Bool = false, doors: any DoorDirectory = NoDoors(), proxies: [String] = []
    ) async throws {
        let logger = log.logger
        let entropy = SeededEntropy(seed: 1)
        database = try await AccountDatabase(time: time)
        let stores = database.stores
        var rules = IdentityRules()
        rules.registration = registration
        identity = Identity(
            users: stores.users, sessions: stores.sessions, organisations: stores.organisations, revocationStore: stores.revocations,
            loginFailures: stores.loginFailures,
            passwords: PasswordHasher(cost: 4, threads: 1, queueLimit: 64, entropy: entropy),
            accessTokens: AccessTokenIssuer(
                issuer: Self.origin, audience: Self.origin,
                keys: SigningKeyRing(current: try SigningKey.generate(signing, id: "key-1", entropy: entropy))),
            accountHashKey: Secret([UInt8](repeating: 5, count: 32)), sessionTokens: SessionTokenIssuer(key: Secret(entropy.bytes(32))),
            rules: rules, time: time, entropy: entropy)
        limits = MemoryLimitStore(time: time)
        let health = HealthReport(version: "test", components: [], time: time)
        let cors = CORSPolicy(origins: origins)
        let cookie = SessionCookie(isSecure: secure)
        let requestLimits = RequestLimits(store: limits, policies: policies)
        let assertionKey = try SigningKey.generate(signing == .hs256 ? .edDSA : signing, id: "key-2", entropy: entropy)
        let doorkeeper = Doorkeeper(
            identity: identity, limits: requestLimits,
            assertions: AssertionIssuer(issuer: Self.origin, keys: SigningKeyRing(current: assertionKey)), cookie: cookie, cors: cors,
            publicURL: Self.origin, time: time, log: logger)
        api = API(
            services: APIServices(
                identity: identity, limits: requestLimits, health: health, cors: cors,
                crossSite: CrossSiteRule(ownOrigin: Self.origin, allowed: cors),
                doorkeeper: doorkeeper, doors: doors, otherDoor: Door(name: "", access: .signedIn, policies: []),
                trustedProxies: try proxies.map { try #require(IPNetwork($0)) },
                securityHeaders: try #require(
                    SecurityHeaders(hsts: nil, contentSecurityPolicy: "default-src 'none'", frameOptions: "DENY")),
                cookie: cookie, publicURL: Self.origin, bodyLimit: 1 << 20, time: time, log: logger))
        admin = AdminAPI(
            services: AdminServices(
                identity: identity, limits: limits, health: health, certificates: certificates, backups: backups,
                rotateSecrets: { "rotated" },
                metrics: { "metric 1\n" }, time: time,
                log: logger))
    }

    func close() async {
        await identity.passwords.shutdown()
        await database.close()
    }

    /// Closes the database, so that every call that needs it fails.
    func breakDatabase() async { await database.close() }

    func call(
        _ method: HTTPMethod, _ path: String, _ body: JSON? = nil, headers: HTTPHeaders = [:], token: String? = nil,
        from address: String = "192.0.2.1"
    ) async -> Reply { await send(method, path, body, headers, token, address, to: api) }

    func operate(_ method: HTTPMethod, _ path: String, _ body: JSON? = nil) async -> Reply {
        await send(method, path, body, [:], nil, "127.0.0.1", to: admin)
    }

    func register(_ email: String, password: String = "correct horse battery", org: String? = nil) async -> Reply {
        var body: [JSON.Member] = [.init("email", .string(email)), .init("password", .string(password))]
        if let org { body.append(.init("org_name", .string(org))) }
        return await call(.POST, "/api/v1/auth/register", .object(body))
    }

    private func send(
        _ method: HTTPMethod, _ path: String, _ body: JSON?, _ headers: HTTPHeaders, _ token: String?, _ address: String,
        to responder: some Responder
    ) async -> Reply {
        var headers = headers
        if body != nil, !headers.contains(name: "content-type") { headers.add(name: "content-type", value: "application/json") }
        if let token { headers.add(name: "authorization", value: "Bearer \(token)") }
        let request = Request(
            id: RequestID(value: 0xC0FFEE), method: method, target: RequestTarget(path)!, headers: headers,
            body: body.map { .bytes(ByteBuffer(bytes: $0.bytes)) } ?? .empty, peer: IPAddress(address), client: IPAddress(address),
            authority: "gate.test", receivedAt: time.monotonic())
        return Reply(await responder.respond(to: request).response)
    }
}

/// A response, its body read.
struct Reply {
    let status: Int
    let headers: HTTPHeaders
    let text: String
    let json: JSON?

    init(_ response: Response) {
        status = Int(response.status.code)
        headers = HTTPHeaders(response.headers.map { $0 } + response.encodedFields.fields)
        var bytes: [UInt8] = []
        if case .bytes(let buffer) = response.body { bytes = Array(buffer.readableBytesView) }
        text = String(decoding: bytes, as: UTF8.self)
        json = try? JSON(parsing: bytes)
    }

    subscript(name: String) -> JSON? { json?[name] }

    var code: String? { self["code"]?.string }
    var accessToken: String { self["access_token"]?.string ?? "" }
    var refreshToken: String { self["refresh_token"]?.string ?? "" }

    /// `name=value` of the session cookie that it sets.
    var cookie: String { headers["set-cookie"].first.map { String($0.prefix { $0 != ";" }) } ?? "" }

    func header(_ name: String) -> String? { headers.first(name: name) }
}
