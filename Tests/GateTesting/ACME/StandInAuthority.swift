package import GateCore
package import GateCrypto
package import GateHTTP
import NIOCore
import NIOHTTP1
import Synchronization

/// A certificate authority in this process that is as strict as RFC 8555 allows, and hostile where it is told to be.
///
/// What a client must never do is kept in ``violations``; a test that uses this expects it empty.
package final class StandInAuthority: OutgoingHTTP {
    /// How it behaves, beyond the plain case.
    package struct Settings: Sendable {
        /// So often is each signed request refused for its nonce before it is looked at.
        package var nonceRefusals = 0
        /// Questions about an authorization that are answered "pending" after the challenge was taken up.
        package var pollsUntilProven = 1
        /// The same for an order that was finalized.
        package var pollsUntilIssued = 1
        /// Names whose proof fails, with the problem's type.
        package var failing: [String: String] = [:]
        /// Types of challenge that never succeed.
        package var failingChallenges: Set<String> = []
        package var offered = ["dns-01", "http-01", "tls-alpn-01"]
        /// Names that were proven before: their authorizations are valid from the start.
        package var proven: Set<String> = []
        package var externalAccount: (keyID: String, key: Secret)?
        package var retryAfter: String?
        package var profiles: [String] = []
        package var hasRenewalInfo = true
        package var refusesReplaces = false
        /// The next answers to requests for such paths are these (status, problem type).
        package var refusals: [(path: String, status: Int, type: String)] = []

        package init() {}
    }

    struct Account {
        let url: String
        var key: SigningKey
        var isDeactivated = false
    }

    struct Authorization {
        let name: String
        let account: String
        var status: String
        var token: String
        /// The type of challenge that was taken up.
        var begun: String?
        var polls = 0
        var problem: String?
    }

    struct Order {
        let names: [String]
        let account: String
        let authorizations: [Int]
        var isFinalized = false
        var polls = 0
    }

    struct State {
        var settings = Settings()
        /// Keys that exist in the world of the test: signatures are checked with them.
        var keys: [SigningKey] = []
        var accounts: [Account] = []
        var authorizations: [Authorization] = []
        var orders: [Order] = []
        var freshNonces: Set<String> = []
        var nonceCount = 0
        var refusalsLeft: Int?
        var requests: [String] = []
        var violations: [String] = []
        var newOrders: [JSON] = []
        var revoked: Set<String> = []
        var renewalWindow: (start: String, end: String) = ("2026-12-01T00:00:00Z", "2026-12-03T00:00:00Z")
    }

    /// What a validator finds: type of challenge, name, token, key authorization.
    package typealias Validator = @Sendable (String, String, String, String) -> Bool

    static let host = "authority.test"
    package static var base: String { "https://\(host)" }
    package static var directory: HTTPURL { HTTPURL("\(base)/directory")! }

    let state = Mutex(State())
    let chain: @Sendable ([String]) -> [UInt8]
    let isPresented: Validator

    /// - Parameters:
    ///   - keys: that may sign.
    ///   - chain: the PEM chain for a certificate with these names.
    package init(
        keys: [SigningKey], settings: Settings = Settings(), chain: @escaping @Sendable ([String]) -> [UInt8],
        isPresented: @escaping Validator
    ) {
        self.chain = chain
        self.isPresented = isPresented
        state.withLock {
            $0.keys = keys
            $0.settings = settings
        }
    }

    package var violations: [String] { state.withLock { $0.violations } }
    /// Method and path of each, in order.
    package var requests: [String] { state.withLock { $0.requests } }
    /// The payloads that asked for an order, refused ones among them.
    package var newOrders: [JSON] { state.withLock { $0.newOrders } }
    package var orderCount: Int { state.withLock { $0.orders.count } }
    package var accountCount: Int { state.withLock { $0.accounts.count } }
    package var revoked: Set<String> { state.withLock { $0.revoked } }
    /// By name.
    package var authorizationStatuses: [String: String] {
        state.withLock { state in Dictionary(state.authorizations.map { ($0.name, $0.status) }) { _, last in last } }
    }

    package func change(_ change: (inout Settings) -> Void) { state.withLock { change(&$0.settings) } }
    /// As after a restart of an authority that keeps nothing.
    package func forgetEverything() {
        state.withLock { state in
            state.accounts = state.accounts.map { Account(url: "gone", key: $0.key) }
            state.authorizations = []
            state.orders = []
            state.freshNonces = []
        }
    }

    package func send(_ request: OutgoingRequest) async throws(OutgoingError) -> OutgoingResponse {
        state.withLock { $0.answer(request, authority: self) }
    }
}

extension StandInAuthority.State {
    mutating func answer(_ request: OutgoingRequest, authority: StandInAuthority) -> OutgoingResponse {
        let path = String(request.url.target.path)
        requests.append("\(request.method) \(path)")
        if request.url.host != StandInAuthority.host || request.url.scheme != .https { violations.append("\(request.url) is elsewhere") }
        if request.headers.first(name: "user-agent")?.isEmpty != false { violations.append("\(path): no User-Agent (RFC 8555 §6.1)") }
        if !request.headers["replay-nonce"].isEmpty { violations.append("\(path): a Replay-Nonce in a request") }
        var answer: Answer
        switch (request.method, path) {
        case (.GET, "/directory"): answer = directory
        case (.HEAD, "/nonce"): answer = Answer(200)
        case (.GET, _) where path.hasPrefix("/renewal-info/"): answer = renewalInfo
        case (.POST, _): answer = signed(request, path: path, authority: authority)
        default:
            violations.append("\(request.method) \(path) is not asked for like this (RFC 8555 §6.3)")
            answer = .problem(405, "malformed")
        }
        if request.method != .GET || path == "/nonce" {
            nonceCount += 1
            freshNonces.insert("nonce-\(nonceCount)")
            answer.headers.add(name: "Replay-Nonce", value: "nonce-\(nonceCount)")
        }
        return OutgoingResponse(
            HTTPResponseStatus(statusCode: answer.status), headers: answer.headers, body: ByteBuffer(bytes: answer.body))
    }

    private var directory: Answer {
        let base = StandInAuthority.base
        var members: [JSON.Member] = [
            JSON.Member("newNonce", .string("\(base)/nonce")), JSON.Member("newAccount", .string("\(base)/account-new")),
            JSON.Member("newOrder", .string("\(base)/order-new")), JSON.Member("revokeCert", .string("\(base)/revoke")),
            JSON.Member("keyChange", .string("\(base)/key-change")), JSON.Member("wxyz", "unknown members must be passed over"),
            JSON.Member(
                "meta",
                [
                    "termsOfService": "https://authority.test/terms", "caaIdentities": ["authority.test"],
                    "externalAccountRequired": .bool(settings.externalAccount != nil),
                    "profiles": .object(settings.profiles.map { JSON.Member($0, .string("the profile \($0)")) }),
                ]),
        ]
        if settings.hasRenewalInfo { members.append(JSON.Member("renewalInfo", .string("\(base)/renewal-info"))) }
        return Answer(200, .object(members))
    }

    private var renewalInfo: Answer {
        var answer = Answer(
            200,
            [
                "suggestedWindow": ["start": .string(renewalWindow.start), "end": .string(renewalWindow.end)],
                "explanationURL": "https://authority.test/why",
            ])
        answer.headers.add(name: "Retry-After", value: "21600")
        return answer
    }

    /// A response to be.
    struct Answer {
        var status: Int
        var headers: HTTPHeaders = [:]
        var body: [UInt8] = []

        init(_ status: Int, _ json: JSON? = nil, headers: HTTPHeaders = [:]) {
            self.status = status
            self.headers = headers
            if let json {
                body = json.bytes
                self.headers.add(name: "Content-Type", value: "application/json")
            }
        }

        static func problem(_ status: Int, _ type: String, _ detail: String = "as the test wants it") -> Answer {
            var answer = Answer(
                status,
                ["type": .string("urn:ietf:params:acme:error:\(type)"), "detail": .string(detail), "status": .integer(Int64(status))])
            answer.headers.replaceOrAdd(name: "Content-Type", value: "application/problem+json; charset=utf-8")
            return answer
        }
    }
}
