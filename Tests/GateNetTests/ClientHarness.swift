import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@testable import GateNet

/// Knows the names that a test gives it; the same name may have other addresses each time.
final class StubResolver: NameResolver {
    private let answers: Mutex<[String: [[IPAddress]]]>

    init(_ answers: [String: [[String]]]) { self.answers = Mutex(answers.mapValues { $0.map { $0.map { IPAddress($0)! } } }) }

    func addresses(of name: String, for lookup: NameLookup, on eventLoop: any EventLoop) -> EventLoopFuture<[IPAddress]> {
        let answer = answers.withLock { answers -> [IPAddress]? in
            guard let all = answers[name], let first = all.first else { return nil }
            if all.count > 1 { answers[name]!.removeFirst() }
            return first
        }
        // As the real one: never at once.
        let promise = eventLoop.makePromise(of: [IPAddress].self)
        eventLoop.execute {
            if let answer { promise.succeed(answer) } else { promise.fail(NameResolutionError(description: "Name or service not known")) }
        }
        return promise.futureResult
    }

    func shutDown() async {}
}

extension HTTPClient {
    /// A client for the time of `body`.
    static func run<Result>(
        egress: EgressRule = .any, names: [String: [[String]]] = [:], tls: TLSClientConfiguration? = nil,
        time: any TimeSource = SystemTime(),
        limits change: (inout ClientLimits) -> Void = { _ in }, _ body: (HTTPClient) async throws -> Result
    ) async throws -> Result {
        var limits = ClientLimits()
        change(&limits)
        let client = HTTPClient(
            egress: egress, group: MultiThreadedEventLoopGroup.singleton,
            settings: ClientSettings(limits: limits, resolver: StubResolver(names), tls: tls, time: time))
        let result: Result
        do {
            result = try await body(client)
        } catch {
            await client.shutDown()
            throw error
        }
        await client.shutDown()
        return result
    }

    func get(_ port: Int, _ path: String = "/", host: String = "127.0.0.1") async throws -> OutgoingResponse {
        try await send(.to(port, path, host: host))
    }

    /// What the request fails with.
    func failure(_ request: OutgoingRequest) async -> OutgoingError? {
        do throws(OutgoingError) {
            _ = try await send(request)
            return nil
        } catch {
            return error
        }
    }
}

extension HTTPClient {
    func to(_ port: Int, host: String = "127.0.0.1", _ change: (inout EndpointSettings) -> Void = { _ in }) -> Endpoint {
        var settings = EndpointSettings(HTTPURL("http://\(host):\(port)")!)
        change(&settings)
        return endpoint(settings)
    }
}

extension Endpoint {
    func text(_ request: StreamedRequest) async throws -> String { try await stream(request).text }
    func status(_ request: StreamedRequest) async throws -> HTTPResponseStatus { try await stream(request).status }
}

extension StreamedResponse {
    /// The next part of a body that follows; a whole one has none.
    func next() async throws(BodyError) -> ByteBuffer? {
        if case .stream(_, let stream) = body { try await stream.next() } else { nil }
    }

    /// All of the body.
    var text: String {
        get async throws(BodyError) {
            var text = ByteBuffer()
            switch body {
            case .whole(let bytes): text = bytes
            case .stream(_, let stream): while let part = try await stream.next() { text.writeImmutableBuffer(part) }
            case .tunnel: break
            }
            return String(buffer: text)
        }
    }
}

extension OutgoingRequest {
    static func to(
        _ port: Int, _ path: String = "/", method: HTTPMethod = .GET, host: String = "127.0.0.1", body: String = "",
        within timeLimit: Duration = .seconds(30), limit: Int = 1 << 20
    ) -> OutgoingRequest {
        OutgoingRequest(
            method, HTTPURL("http://\(host):\(port)\(path)")!, body: ByteBuffer(string: body), timeLimit: timeLimit, responseLimit: limit)
    }
}

extension OutgoingResponse {
    var text: String { String(buffer: body) }
}

/// A body whose parts are there already.
final class Parts: BodyStream {
    private let rest: Mutex<[String]>
    /// What comes after the last part: the end, or an error.
    private let error: BodyError?

    init(_ parts: [String], then error: BodyError? = nil) {
        rest = Mutex(parts)
        self.error = error
    }

    func next() async throws(BodyError) -> ByteBuffer? {
        let part = rest.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        if let part { return ByteBuffer(string: part) }
        if let error { throw error }
        return nil
    }
}

/// A body whose parts are given by a test, one at a time.
struct GivenParts: BodyStream {
    private let stream = AsyncStream<String>.makeStream()
    private let iterator: NextPart

    init() { iterator = NextPart(stream.stream) }

    func give(_ part: String) { stream.continuation.yield(part) }
    func finish() { stream.continuation.finish() }

    func next() async throws(BodyError) -> ByteBuffer? { await iterator.next().map { ByteBuffer(string: $0) } }

    private actor NextPart {
        private let stream: AsyncStream<String>
        init(_ stream: AsyncStream<String>) { self.stream = stream }
        // A stream's iterators all take from the same values.
        func next() async -> String? { await stream.first { _ in true } }
    }
}
