import GateAccess
import GateCore
import GateCrypto
import GateHTTP
import GateIdentity
import GateLimits
import GateTesting
import NIOCore
import NIOHTTP1

/// A doorkeeper over real accounts, with a clock that is moved by hand. Nothing listens.
struct DoorFixture {
    let accounts: IdentityFixture
    let doorkeeper: Doorkeeper
    let assertionKeys: SigningKeyRing
    let log = LogRecorder()

    static let origin = "https://app.test"
    static let listed = "https://listed.test"

    var identity: Identity { accounts.identity }

    static func with(_ body: (DoorFixture) async throws -> Void) async throws {
        try await IdentityFixture.with { try await body(DoorFixture($0)) }
    }

    init(_ accounts: IdentityFixture) {
        self.accounts = accounts
        assertionKeys = SigningKeyRing(current: SigningKeyFixture.make("assertions", .edDSA, seed: 12))
        doorkeeper = Doorkeeper(
            identity: accounts.identity, limits: RequestLimits(store: MemoryLimitStore(time: accounts.time), policies: [:]),
            assertions: AssertionIssuer(issuer: "http://gate.test", keys: assertionKeys), cookie: SessionCookie(isSecure: true),
            cors: CORSPolicy(origins: [Self.listed]), publicURL: "https://gate.test", time: accounts.time, log: log.logger)
    }

    static func request(
        _ method: HTTPMethod = .GET, _ target: String = "/", _ headers: [(String, String)] = [], from address: String = "192.0.2.1",
        upgrade: String? = nil
    ) -> Request {
        Request(
            id: RequestID(value: 0xC0FFEE), method: method, target: RequestTarget(target)!, headers: HTTPHeaders(headers),
            peer: IPAddress(address), client: IPAddress(address), scheme: .https, authority: "app.test",
            upgrade: upgrade)
    }

    static func door(_ access: AccessRule, _ policies: [RoutePolicy] = [], name: String = "app.test/") -> Door {
        Door(name: name, access: access, policies: policies)
    }

    func admit(_ request: Request, at door: Door) async -> Outcome { Outcome(await doorkeeper.admit(request, at: door).known) }

    func admit(
        _ method: HTTPMethod = .GET, _ target: String = "/", _ headers: [(String, String)] = [], at door: Door
    ) async -> Outcome { await admit(Self.request(method, target, headers), at: door) }

    /// A profile that changed is read anew, as after a restart.
    func forget() {
        identity.profiles.removeAll()
        identity.cookies.removeAll()
    }
}

extension SignIn {
    var cookieField: (String, String) { ("cookie", "__Host-gatehouse=\(cookieToken.text)") }
    var bearerField: (String, String) { ("authorization", "Bearer \(accessToken.text)") }
}

extension AdmittedRequest {
    /// What the application sees of the header fields.
    var visibleFields: HTTPHeaders {
        var fields: HTTPHeaders = [:]
        forEachField { fields.add(name: $0, value: $1) }
        return fields
    }
}

/// What became of a request.
struct Outcome {
    /// `nil` where it was refused.
    var admitted: AdmittedRequest?
    var response: Response?

    init(_ admission: Admission) {
        switch admission {
        case .admitted(let admitted): self.admitted = admitted
        case .refused(let response): self.response = response
        case .later: break
        }
    }

    var identity: [String: String] {
        Dictionary(uniqueKeysWithValues: (admitted?.identityFields.fields ?? []).map { ($0.name.lowercased(), $0.value) })
    }

    var status: Int { response.map { Int($0.status.code) } ?? 0 }
    var code: String? { (try? JSON(parsing: body))?["code"]?.string }

    func header(_ name: String) -> String? {
        response?.headers.first(name: name)
            ?? (response?.encodedFields ?? admitted?.responseFields)?.fields.first { $0.name.lowercased() == name }?.value
    }

    private var body: [UInt8] {
        if case .bytes(let bytes) = response?.body { Array(bytes.readableBytesView) } else { [] }
    }

    var text: String { String(decoding: body, as: UTF8.self) }

    /// In one word: as whom it was admitted, or what it was told.
    var word: String {
        if let admitted { return admitted.principal == nil ? "nobody" : "somebody" }
        if let location = header("location") { return "\(status) \(location)" }
        return "\(status) \(code ?? "page")"
    }
}
