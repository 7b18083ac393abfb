import GateAccess
import GateCore
import GateHTTP
import GateTesting
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@testable import GateNet
@testable import GateProxy

/// A site with an application behind it, for the time of a test.
struct Rig: Sendable {
    let handler: UpstreamHandler
    let upstream: Upstream
    let log: LogRecorder
    let client: HTTPClient

    static func run(
        ports: [Int], rules change: (inout UpstreamRules) -> Void = { _ in }, site changeSite: (inout SiteRoute) -> Void = { _ in },
        _ body: (Rig) async throws -> Void
    ) async throws {
        var rules = UpstreamRules(servers: ports.map { .init(url: HTTPURL("http://127.0.0.1:\($0)")!) })
        rules.connectTime = .seconds(5)
        rules.responseTime = .seconds(10)
        rules.idleTime = .seconds(10)
        change(&rules)
        var site = SiteRoute(name: "test", hosts: [.any], path: PathPrefix("/"), target: .upstream(rules))
        changeSite(&site)
        let client = HTTPClient(egress: .any)
        let log = LogRecorder()
        let upstream = try Upstream(rules, site: site.name, client: client, log: log.logger)
        let handler = UpstreamHandler(
            site, to: upstream, cookie: SessionCookie(isSecure: true), baseURL: "https://gate.example.com", entropy: SeededEntropy(seed: 1),
            log: log.logger)
        let result = await Result { try await body(Rig(handler: handler, upstream: upstream, log: log, client: client)) }
        await client.shutDown()
        try result.get()
    }

    /// A site in front of one application that the test plays.
    static func run(
        rules change: (inout UpstreamRules) -> Void = { _ in }, site changeSite: (inout SiteRoute) -> Void = { _ in },
        _ body: (Rig, StandIn) async throws -> Void
    ) async throws {
        let standIn = try await StandIn()
        try await run(ports: [standIn.port], rules: change, site: changeSite) { try await body($0, standIn) }
    }

    func answer(_ request: Request, identity: [(name: String, value: String)] = []) async -> Response {
        await handler.answer(AdmittedRequest(withholdingNothingOf: request, identity: .somebody(EncodedFields(identity)!))).response
    }

    /// The whole answer, collected.
    func collect(_ request: Request, identity: [(name: String, value: String)] = []) async throws -> Collected {
        try await Collected(await answer(request, identity: identity))
    }
}

extension HTTPHeaders {
    /// - Parameter lines: `Name: value` each.
    init(lines: [String]) {
        self.init(
            lines.map { line in
                let colon = line.firstRange(of: ": ")!
                return (String(line[..<colon.lowerBound]), String(line[colon.upperBound...]))
            })
    }
}

extension Result where Failure == any Error {
    init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}

extension Request {
    static func to(
        _ target: String = "/", _ method: HTTPMethod = .GET, headers: HTTPHeaders = [:], body: RequestBody = .empty,
        client: String? = "203.0.113.7", scheme: Scheme = .https, authority: String = "app.example.com", version: Version = .http11,
        upgrade: String? = nil
    ) -> Request {
        Request(
            id: RequestID(value: 0x0123_4567_89AB_CDEF), method: method, target: RequestTarget(target)!, headers: headers, body: body,
            client: client.map { IPAddress($0)! }, scheme: scheme, authority: authority, version: version, upgrade: upgrade,
            receivedAt: SystemTime().monotonic())
    }
}

/// A response with all of its body.
struct Collected: Sendable {
    var status: Int
    var fields: [String]
    var body: String
    /// What would be said of the body's length beforehand.
    var length: Int?
    var trailers: HTTPHeaders = [:]

    init(_ response: Response) async throws {
        status = Int(response.status.code)
        fields = (response.headers.map { ($0.name, $0.value) } + response.encodedFields.fields).map { "\($0.0): \($0.1)" }
        switch response.body {
        case .empty: (body, length) = ("", 0)
        case .bytes(let bytes): (body, length) = (String(buffer: bytes), bytes.readableBytes)
        case .stream(let promised, let produce):
            length = promised
            let writer = CollectingWriter()
            do {
                try await produce(writer)
            } catch {
                throw BrokenOff(body: writer.text, error: error)
            }
            body = writer.text
            trailers = writer.fields
        case .tunnel: body = "tunnel"
        case .file: body = "file"
        }
    }

    struct BrokenOff: Error {
        let body: String
        let error: any Error
    }

    func value(_ name: String) -> String? {
        fields.first { $0.lowercased().hasPrefix("\(name): ") }.map { String($0.dropFirst(name.utf8.count + 2)) }
    }
}

final class CollectingWriter: BodyWriter {
    private let state = Mutex((bytes: ByteBuffer(), trailers: HTTPHeaders()))
    private let parts = AsyncStream<String>.makeStream()

    var text: String { state.withLock { String(buffer: $0.bytes) } }
    var fields: HTTPHeaders { state.withLock { $0.trailers } }

    func write(_ part: ByteBuffer) async throws(BodyError) {
        if Task.isCancelled { throw .disconnected }
        state.withLock { _ = $0.bytes.writeImmutableBuffer(part) }
        parts.continuation.yield(String(buffer: part))
    }

    func trailers(_ fields: HTTPHeaders) async { state.withLock { $0.trailers = fields } }

    /// The next part that is written.
    func part() async -> String? { await parts.stream.first { _ in true } }
}

/// A body whose parts a test gives one at a time, and that knows when it is first asked for.
final class GivenBody: BodyStream {
    private let parts = AsyncStream<Result<ByteBuffer, BodyError>>.makeStream()
    private let asked = AsyncStream<Void>.makeStream()
    private let ending = Mutex(HTTPHeaders())
    private let count = Atomic<Int>(0)

    func give(_ part: String) { parts.continuation.yield(.success(ByteBuffer(string: part))) }
    func fail(_ error: BodyError) { parts.continuation.yield(.failure(error)) }
    func finish(trailers: HTTPHeaders = [:]) {
        ending.withLock { $0 = trailers }
        parts.continuation.finish()
    }

    /// How many parts have been asked for.
    var asks: Int { count.load(ordering: .sequentiallyConsistent) }
    /// Returns when a part is asked for.
    func isAsked() async { _ = await asked.stream.first { _ in true } }

    func next() async throws(BodyError) -> ByteBuffer? {
        count.add(1, ordering: .sequentiallyConsistent)
        asked.continuation.yield()
        let result = await parts.stream.first { _ in true }
        if Task.isCancelled { throw .disconnected }
        return try result?.get()
    }

    var trailers: HTTPHeaders { get async { ending.withLock { $0 } } }
}
