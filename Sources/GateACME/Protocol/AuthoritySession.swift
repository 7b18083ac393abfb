import GateCore
import GateCrypto
import GateHTTP
import Logging
import NIOCore
import NIOHTTP1
import Synchronization

/// The conversation with one authority: its directory, nonces, and signed requests (RFC 8555 §6). Knows nothing of orders.
final class AuthoritySession: Sendable {
    /// Why there is no answer to act upon.
    enum Failure: Error, Sendable {
        case unanswered(OutgoingError)
        case misanswered(MalformedAnswer)
        /// The key could not sign.
        case unsigned(CryptoError)
    }

    /// What a request is signed as (RFC 8555 §6.2).
    enum Signer: Sendable {
        /// `jwk`: an account that has no URL yet, or a certificate's own key.
        case key(SigningKey)
        /// `kid`.
        case account(SigningKey, url: String)
    }

    let directoryURL: HTTPURL
    let time: any TimeSource
    private let http: any OutgoingHTTP
    private let userAgent: String
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        var directory: (object: DirectoryObject, since: MonotonicInstant)?
        var nonces = NoncePool()
    }

    /// How long a directory is good for: authorities change theirs with notice of months.
    static let directoryLifetime = Duration.seconds(3600)
    /// For one request. Some authorities make the certificate before they answer the request for it.
    static let timeLimit = Duration.seconds(60)

    init(directory: HTTPURL, http: any OutgoingHTTP, time: any TimeSource, userAgent: String, logger: Logger) {
        directoryURL = directory
        self.http = http
        self.time = time
        self.userAgent = userAgent
        self.logger = logger
    }

    func directory() async throws(Failure) -> Result<DirectoryObject, Refusal> {
        let now = time.monotonic()
        if let known = state.withLock({ $0.directory }), now.since(known.since) < Self.directoryLifetime { return .success(known.object) }
        let answer = try await send(.GET, directoryURL)
        if let problem = answer.problem { return .failure(Refusal(problem: problem, retryAfter: answer.retryAfter)) }
        let object: DirectoryObject
        do throws(MalformedAnswer) {
            object = try DirectoryObject(parsing: answer.body)
        } catch {
            throw .misanswered(error)
        }
        state.withLock { $0.directory = (object, now) }
        return .success(object)
    }

    /// What a refused request leaves behind.
    struct Refusal: Error {
        let problem: ProblemDocument
        let retryAfter: Duration?
    }

    /// An unsigned GET: the directory and renewal information only.
    func get(_ url: HTTPURL) async throws(Failure) -> AuthorityAnswer { try await send(.GET, url) }

    /// A signed POST, sent again as long as the authority refuses its nonce.
    ///
    /// - Parameter payload: empty for POST-as-GET (RFC 8555 §6.3).
    func post(_ payload: [UInt8], to url: HTTPURL, as signer: Signer, newNonce: HTTPURL, accept: String? = nil) async throws(Failure)
        -> AuthorityAnswer
    {
        var exchange = SignedExchange()
        var step = exchange.begin(nonce: state.withLock { $0.nonces.take() })
        while true {
            switch step {
            case .fetchNonce: step = exchange.fetched(try await send(.HEAD, newNonce, keepsNonce: false))
            case .post(let nonce):
                let body = try sign(payload, to: url, as: signer, nonce: nonce)
                let answer = try await send(.POST, url, body: body, accept: accept, keepsNonce: false)
                step = exchange.answered(answer)
                if case .done = step {
                    if let nonce = answer.nonce { state.withLock { $0.nonces.add(nonce) } }
                } else {
                    state.withLock { $0.nonces.clear() }
                }
            case .done(let answer): return answer
            case .failed(let error): throw .misanswered(error)
            }
        }
    }

    private func sign(_ payload: [UInt8], to url: HTTPURL, as signer: Signer, nonce: String) throws(Failure) -> [UInt8] {
        let rest = [JSON.Member("nonce", .string(nonce)), JSON.Member("url", .string(url.description))]
        do throws(CryptoError) {
            switch signer {
            case .key(let key):
                return try FlattenedJWS.sign(header: [JSON.Member("jwk", key.bareJWK ?? .null)] + rest, payload: payload, key: key)
            case .account(let key, let account):
                return try FlattenedJWS.sign(header: [JSON.Member("kid", .string(account))] + rest, payload: payload, key: key)
            }
        } catch {
            throw .unsigned(error)
        }
    }

    private func send(_ method: HTTPMethod, _ url: HTTPURL, body: [UInt8] = [], accept: String? = nil, keepsNonce: Bool = true)
        async throws(Failure) -> AuthorityAnswer
    {
        // An authority that is asked over TLS does not get to lead us elsewhere.
        guard url.scheme == .https || directoryURL.scheme == .http else {
            throw .misanswered(MalformedAnswer("answer", "it leads to \(url), which is not HTTPS"))
        }
        // RFC 8555 §6.1.
        var headers: HTTPHeaders = ["User-Agent": userAgent, "Accept-Language": "en"]
        if let accept { headers.add(name: "Accept", value: accept) }
        // RFC 8555 §6.2.
        if method == .POST { headers.add(name: "Content-Type", value: "application/jose+json") }
        let response: OutgoingResponse
        do throws(OutgoingError) {
            response = try await http.send(
                OutgoingRequest(method, url, headers: headers, body: ByteBuffer(bytes: body), timeLimit: Self.timeLimit))
        } catch {
            logger.debug("no answer of the authority", metadata: ["url": "\(url)", "error": "\(error)"])
            throw .unanswered(error)
        }
        let answer = AuthorityAnswer(response, to: url, at: time.now())
        // The authority may have moved its things: the next call looks again.
        if answer.status == 404 { state.withLock { $0.directory = nil } }
        if keepsNonce, let nonce = answer.nonce { state.withLock { $0.nonces.add(nonce) } }
        logger.debug(
            "asked the authority",
            metadata: [
                "method": "\(method)", "url": "\(url)", "status": "\(answer.status)", "problem": "\(answer.problem?.type ?? "none")",
            ])
        return answer
    }
}
