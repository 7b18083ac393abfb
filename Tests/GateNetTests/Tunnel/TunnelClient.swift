import GateCore
import GateCrypto
import GateHTTP
import NIOCore
import NIOHPACK
import NIOHTTP1
import NIOPosix
import Testing

@testable import GateNet

/// What a tunnel goes over.
enum Wire: CaseIterable {
    case http1
    case tls
    case http2

    var decorator: (any ConnectionDecorator)? {
        get throws {
            switch self {
            case .http1: nil
            case .tls: TLSServerDecorator(certificates: try TLSCertificates(fallback: TestCertificates.localhost, protocols: [.http1]))
            case .http2: PriorKnowledge()
            }
        }
    }

    /// How the server agrees.
    var agreement: String { self == .http2 ? "200" : "101" }
}

/// The client's end of a tunnel, however it goes. Used by one task at a time.
final class TunnelClient {
    enum Ending: Hashable {
        case orderly
        /// A reset, or TLS that was cut. Without TLS nothing tells it from an orderly one.
        case broken
    }

    private enum Way {
        case bytes(RawClient)
        case frames(FrameClient)
    }

    let wire: Wire
    private let way: Way
    private var received: [UInt8] = []
    private var ending: Ending?
    private var fields: [String]?
    /// Of HTTP/2: what may be sent, on the stream and on the connection.
    /// Received, and not made room for yet.
    private var taken = 0
    private var windows = (stream: HTTP2Window.stream, connection: 65_535)

    init(_ wire: Wire, _ server: TestServer, receives: Bool = true) async throws {
        self.wire = wire
        way =
            switch wire {
            case .http1: .bytes(try await RawClient(port: server.port, receives: receives))
            case .tls: .bytes(try await RawClient(port: server.port, receives: receives, tls: (TestCertificates.client(), "localhost")))
            case .http2: .frames(try await FrameClient(port: server.port))
            }
        // Only a client that has seen the SETTINGS may ask for a tunnel (RFC 8441 §3).
        if !receives, case .frames(let client) = way { try await client.channel.setOption(.autoRead, value: false).get() }
    }

    static func request(_ wire: Wire, fields: String = "") -> String {
        "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\(fields)\r\n"
    }

    static let frames = [
        (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/chat"), (":authority", "a"),
        ("sec-websocket-version", "13"),
    ]

    /// Asks for a tunnel, with `early` right behind. Returns the head of the answer, one line for each field, in lower case.
    func ask(early: String = "") async throws {
        switch way {
        case .bytes(let client): try await client.send(Self.request(wire) + early)
        case .frames(let client):
            try await client.send([.headers(1, Self.frames, end: false)] + (early.isEmpty ? [] : [.data(1, early)]))
            windows = (windows.stream - early.utf8.count, windows.connection - early.utf8.count)
        }
    }

    /// The head of the answer, one line for each field, in lower case.
    func head() async throws -> [String] {
        switch way {
        case .bytes(let client):
            let text = try await client.read(until: "\r\n\r\n")
            let parts = text.components(separatedBy: "\r\n\r\n")
            received += Array(parts.dropFirst().joined(separator: "\r\n\r\n").utf8)
            return parts[0].lowercased().components(separatedBy: "\r\n")
        case .frames:
            while fields == nil, try await takeFrame() {}
            return try #require(fields)
        }
    }

    func open(early: String = "") async throws {
        try await ask(early: early)
        #expect(try await head()[0].contains(wire.agreement))
    }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) async throws {
        switch way {
        case .bytes(let client): try await client.send(bytes)
        case .frames(let client):
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = min(windows.stream, windows.connection, rest.count, 16_384)
                if count > 0 {
                    windows = (windows.stream - count, windows.connection - count)
                    try await client.send(.data(1, Array(rest.prefix(count))))
                    rest = rest.dropFirst(count)
                } else {
                    guard try await takeFrame() else { throw BodyError.disconnected }
                }
            }
        }
    }

    /// The next `count` bytes, or what comes before the end.
    func receive(_ count: Int) async throws -> [UInt8] {
        while received.count < count, ending == nil {
            switch way {
            case .bytes(let client):
                let missing = count - received.count
                let bytes = try await client.readBytes { $0.count >= missing }
                if bytes.count < missing { try await note(client) }
                received += bytes
            case .frames: guard try await takeFrame() else { break }
            }
        }
        defer { received.removeFirst(min(count, received.count)) }
        return Array(received.prefix(count))
    }

    func receiveText(_ count: Int) async throws -> String { String(decoding: try await receive(count), as: UTF8.self) }

    /// What still comes, and how it ends.
    func rest() async throws -> (text: String, ending: Ending?) {
        let bytes = try await receive(.max)
        return (String(decoding: bytes, as: UTF8.self), ending)
    }

    private func note(_ client: RawClient) async throws { ending = try await client.error() == nil ? .orderly : .broken }

    /// Whether there was another frame.
    private func takeFrame() async throws -> Bool {
        guard case .frames(let client) = way, case .frame(let frame) = await client.next() else {
            ending = .broken
            return false
        }
        switch frame.type {
        case WireFrame.FrameType.headers: fields = try client.fields(of: frame).map { "\($0.name): \($0.value)" }
        case WireFrame.FrameType.data where frame.stream == 1:
            received += frame.payload
            if frame.has(WireFrame.endStream) {
                ending = .orderly
            } else if !frame.payload.isEmpty {
                // Not for every frame: windows that are opened bit by bit make ever smaller frames.
                taken += frame.payload.count
                if taken >= 32 << 10 {
                    try await client.send(.windowUpdate(0, UInt32(taken)), .windowUpdate(1, UInt32(taken)))
                    taken = 0
                }
            }
        case WireFrame.FrameType.ping: try await client.send(.ping(frame.text, isAck: true))
        case WireFrame.FrameType.windowUpdate where frame.stream == 0: windows.connection += Int(frame.number(at: 0))
        case WireFrame.FrameType.windowUpdate: windows.stream += Int(frame.number(at: 0))
        case WireFrame.FrameType.resetStream where frame.stream == 1:
            ending = frame.number(at: 0) == ErrorCode.noError ? .orderly : .broken
        default: break
        }
        return true
    }

    /// Ends the client's direction.
    func end() async throws {
        switch way {
        case .bytes(let client): try await client.endInput()
        case .frames(let client): try await client.send(.data(1, "", end: true))
        }
    }

    func breakOff() async throws {
        switch way {
        case .bytes(let client): await client.close()
        case .frames(let client): try await client.send(.resetStream(1))
        }
    }

    /// Begins to take what comes.
    func startReceiving() async throws {
        switch way {
        case .bytes(let client): try await client.receive()
        case .frames(let client): try await client.receive()
        }
    }
}

extension TestServer {
    /// A server whose every request is agreed to become a tunnel for `use`.
    static func tunnelling(
        _ wire: Wire, _ configuration: HTTPServerConfiguration = HTTPServerConfiguration(),
        use: @escaping @Sendable (any Tunnel) async -> Void, _ body: (TestServer) async throws -> Void
    ) async throws {
        try await run(configuration, decorator: wire.decorator) { _ in
            .now(Response(.switchingProtocols, headers: ["Sec-WebSocket-Accept": "x"], body: .tunnel(use)))
        } _: {
            try await body($0)
        }
    }
}

extension String {
    func components(separatedBy separator: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return parts + [String(rest)]
    }
}
