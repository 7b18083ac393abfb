import GateCore
import GateHTTP
import GateTesting
import Glibc
import NIOCore
import NIOHPACK
import NIOHTTP1
import Synchronization
import Testing

@testable import GateNet

@Suite("Files as bodies")
struct FileBodyTests {
    private let folder = TemporaryFolder()

    /// Bytes of which no two places look the same.
    private static func content(_ size: Int) -> [UInt8] {
        var state: UInt32 = 1
        return (0..<size).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(truncatingIfNeeded: state >> 24)
        }
    }

    private func open(_ content: [UInt8]) throws -> OpenFile {
        folder.write("a", bytes: content)
        return try FolderTree(folder.path).open("a", .patient)
    }

    private static let sizes = [0, 1, 16 << 10, (16 << 10) + 1, 200_000, 3 << 20]

    @Test("A file goes out whole, and the connection stays", arguments: sizes)
    func whole(_ size: Int) async throws {
        let content = Self.content(size)
        let file = try open(content)
        try await TestServer.run { _ in
            .now(Response(.ok, body: .file(FileBody(file, 0..<size))))
        } _: { server in
            let client = try await server.connect()
            for _ in 0..<2 { try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n") }
            let answers = try await client.responses(2)
            #expect(answers.map(\.body) == [content, content])
            #expect(answers[0].head.contains("\r\nContent-Length: \(size)\r\n") && !answers[0].head.contains("Connection:"))
            // The client may have read the last byte before the server has noticed that it is out.
            for await _ in server.observer.stream where server.observer.all.count == 2 { break }
            #expect(server.observer.all.map(\.responseBytes) == [size, size])
        }
    }

    @Test("A part of a file goes out", arguments: [0..<100, 5..<100_005, 100_000..<300_000, 299_999..<300_000])
    func part(_ range: Range<Int>) async throws {
        let content = Self.content(300_000)
        let file = try open(content)
        try await TestServer.run { _ in
            .later { Response(.partialContent, body: .file(FileBody(file, range))) }
        } _: { server in
            let client = try await server.connect()
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await client.responses(1).first?.body == Array(content[range]))
        }
    }

    @Test("What is on the disk only goes out the same, and no event loop reads it")
    func uncached() async throws {
        let content = Self.content(2 << 20)
        let file = try open(content)
        fsync(file.descriptor)
        posix_fadvise(file.descriptor, 0, 0, POSIX_FADV_DONTNEED)
        try await TestServer.run { _ in
            .now(Response(.ok, body: .file(FileBody(file, 0..<content.count))))
        } _: { server in
            let client = try await server.connect()
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await client.responses(1).first?.body == content)
        }
    }

    @Test("Over TLS a file is the same", arguments: sizes)
    func encrypted(_ size: Int) async throws {
        let content = Self.content(size)
        let file = try open(content)
        try await TLSTestServer.run { _ in
            .now(Response(.ok, body: .file(FileBody(file, 0..<size))))
        } _: { server in
            let client = try await server.connect()
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await client.responses(1).first?.body == content)
        }
    }

    @Test("Over HTTP/2 a file is the same", arguments: sizes)
    func http2(_ size: Int) async throws {
        let content = Self.content(size)
        let file = try open(content)
        try await TestServer.run(decorator: PriorKnowledge()) { _ in
            .now(Response(.ok, body: .file(FileBody(file, 0..<size))))
        } _: { server in
            let client = try await FrameClient(port: server.port)
            try await client.send(.headers(1, WireFrame.request()))
            let answer = try #require(try await client.answer(on: 1))
            #expect(answer.body == content)
            #expect(answer.headers.first(name: "content-length") == "\(size)")
        }
    }

    @Test("HEAD tells the length, and sends nothing", arguments: [10, 1 << 20])
    func head(_ size: Int) async throws {
        let file = try open(Self.content(size))
        try await TestServer.run { _ in
            .now(Response(.ok, body: .file(FileBody(file, 0..<size))))
        } _: { server in
            let answer = try await server.exchange("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(answer.contains("\r\nContent-Length: \(size)\r\n") && answer.hasSuffix("\r\n\r\n"))
        }
    }

    @Test("A client that has closed its side still gets the file")
    func halfClosed() async throws {
        let size = 8 << 20
        let file = try open([UInt8](repeating: 0x61, count: size))
        try await TestServer.run { _ in
            .now(Response(.ok, body: .file(FileBody(file, 0..<size))))
        } _: { server in
            let client = try await RawClient(port: server.port, receives: false)
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            try await client.endInput()
            try await client.receive()
            #expect(try await client.readBytesToEnd().count > size)
        }
    }

    @Test("A file that is shorter than promised breaks the response off", arguments: [1000, 100_000])
    func shortened(_ size: Int) async throws {
        let file = try open(Self.content(size))
        try await TestServer.run { _ in
            .now(Response(.ok, body: .file(FileBody(file, 0..<size * 2))))
        } _: { server in
            let answer = try await server.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(answer.contains("\r\nContent-Length: \(size * 2)\r\n") && answer.split(separator: "HTTP/1.1 200").count == 1)
            #expect(await server.observer.stream.first { _ in true }?.isAborted == true)
        }
    }

    @Test("A file that is cut while a slow client reads it breaks the response off, long before the client is given up")
    func shortenedMeanwhile() async throws {
        let size = 32 << 20
        let file = try open([UInt8](repeating: 0x61, count: size))
        try await TestServer.run(.with { $0.limits.keepAliveTime = .milliseconds(200) }) { _ in
            .now(Response(.ok, body: .file(FileBody(file, 0..<size))))
        } _: { server in
            let client = try await RawClient(port: server.port, receives: false)
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            // The head is there, so the file is on its way, and the kernel's buffers hold less than all of it.
            #expect(try await !client.receiveOnce().isEmpty)
            #expect(truncate(folder.file("a"), 10) == 0)
            try await client.receive()
            let received = try await client.readBytesToEnd()
            #expect(received.count < size)
            #expect(await server.observer.stream.first { _ in true }?.isAborted == true)
        }
    }

    @Test("A text file is compressed for who asks for it; a part, and a large file, is not")
    func compressed() async throws {
        let text = Array(String(repeating: "All work and no play makes Jack a dull boy. ", count: 4000).utf8)
        let file = try open(text)
        let length = text.count
        try await TestServer.run { request in
            let isPart = request.target.path == "/part"
            return .now(
                Response(
                    isPart ? .partialContent : .ok, headers: ["content-type": "text/plain", "etag": "\"a\"", "vary": "Accept-Encoding"],
                    body: .file(FileBody(file, 0..<length))))
        } _: { server in
            let fields = "Host: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
            let whole = try await server.exchange("GET / HTTP/1.1\r\n" + fields)
            #expect(whole.contains("content-encoding: gzip\r\n") && whole.contains("etag: W/\"a\"\r\n") && whole.utf8.count < length / 4)
            #expect(whole.split(separator: "vary:").count == 2)
            let part = try await server.exchange("GET /part HTTP/1.1\r\n" + fields)
            #expect(!part.contains("content-encoding") && part.utf8.count > length)
        }
    }

    @Test("A file is closed once its response is out, or broken off")
    func closed() async throws {
        folder.write("a", bytes: [UInt8](repeating: 0x61, count: 32 << 20))
        let opened = Mutex<[WeakFile]>([])
        let tree = FolderTree(folder.path)
        try await TestServer.run { _ in
            guard let file = try? tree.open("a", .patient), let size = try? file.status().size else { return .now(Response(.notFound)) }
            opened.withLock { $0.append(WeakFile(file: file)) }
            return .now(Response(.ok, body: .file(FileBody(file, 0..<size))))
        } _: { server in
            _ = try await server.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            // One who goes away in the middle.
            let client = try await RawClient(port: server.port, receives: false)
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try await client.receiveOnce()
            await client.close()
        }
        // The task of a broken response ends a turn of its event loop later.
        for _ in 0..<10_000 where opened.withLock({ $0.contains { $0.file != nil } }) { await Task.yield() }
        #expect(opened.withLock { $0.count { $0.file == nil } } == 2)
    }
}

private struct WeakFile {
    weak var file: OpenFile?
}

extension RawClient {
    /// The next responses, each with its `Content-Length`.
    fileprivate func responses(_ count: Int) async throws -> [(head: String, body: [UInt8])] {
        Self.responses(in: try await readBytes { Self.responses(in: $0).count >= count })
    }

    private static func responses(in bytes: [UInt8]) -> [(head: String, body: [UInt8])] {
        var found: [(head: String, body: [UInt8])] = []
        var rest = bytes[...]
        while let end = rest.firstRange(of: Array("\r\n\r\n".utf8)) {
            let head = String(decoding: rest[..<end.upperBound], as: UTF8.self)
            let field = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
            guard let length = field.flatMap({ Int($0.dropFirst("Content-Length: ".count)) }),
                rest.endIndex - end.upperBound >= length
            else { break }
            found.append((head, Array(rest[end.upperBound..<end.upperBound + length])))
            rest = rest[(end.upperBound + length)...]
        }
        return found
    }
}
