import GateAPI
package import GateCore
import GateHTTP
import GateNet
import GateSQLite
package import Logging
import NIOCore
import NIOHTTP1

/// The way from a command to what it operates on: the running server, through its admin socket; or, where none runs, the same calls
/// composed in this process, under the lock of the data folder.
package struct AdminConnection: Sendable {
    private enum Way: Sendable {
        case socket(HTTPClient)
        case inProcess(Composition, DataDirectoryLock)
    }

    private let way: Way

    /// - Parameter needsServer: whether what is asked for is only in a running server's memory.
    /// - Throws: `CommandFailure`.
    package static func open(_ configuration: Configuration, needsServer: Bool, log: Logger) async throws -> AdminConnection {
        if let connection = try await toServer(configuration, needsServer: needsServer) { return connection }
        try DataFolderOwner.become(of: configuration.dataDirectory)
        do {
            let lock = try DataFolderLock.take(configuration.dataDirectory)
            let composition = try await Composition(configuration, time: SystemTime(), entropy: SystemEntropy(), log: log)
            return AdminConnection(way: .inProcess(composition, lock))
        } catch let error as StorageError {
            throw CommandFailure(error)
        }
    }

    /// - Returns: `nil` where no server runs, unless `needsServer`.
    /// - Throws: `CommandFailure`.
    package static func toServer(_ configuration: Configuration, needsServer: Bool = false) async throws -> AdminConnection? {
        let client = HTTPClient(egress: .any).over(socket: configuration.listen.admin)
        do throws(OutgoingError) {
            _ = try await client.send(Self.request(.GET, "/admin/server"))
            return AdminConnection(way: .socket(client))
        } catch {
            await client.shutDown()
            guard error.reason == .refused, !needsServer else { throw CommandFailure(error) }
            return nil
        }
    }

    /// - Parameters:
    ///   - path: with every value in it percent-encoded.
    ///   - timeLimit: how long the server may take.
    /// - Returns: the answer's JSON, `null` where there is none.
    /// - Throws: `CommandFailure` with what the answer's problem document says.
    package func call(
        _ method: String, _ path: String, query: [String: String] = [:], body: JSON? = nil, timeLimit: Duration = .seconds(30)
    )
        async throws -> JSON
    {
        let fields = query.sorted { $0.key < $1.key }.map { "\($0.key)=\(PercentEncoding.encode($0.value))" }
        let target = fields.isEmpty ? path : "\(path)?\(fields.joined(separator: "&"))"
        let (status, bytes) =
            switch way {
            case .socket(let client): try await send(method, target, body, timeLimit, over: client)
            case .inProcess(let composition, _): try await answer(method, target, body, by: composition)
            }
        let json = bytes.isEmpty ? JSON.null : try JSON(parsing: bytes)
        guard status < 400 else { throw Self.failure(status, json) }
        return json
    }

    package func close() async {
        switch way {
        case .socket(let client): await client.shutDown()
        case .inProcess(let composition, let lock):
            await composition.close()
            lock.release()
        }
    }

    private func send(_ method: String, _ target: String, _ body: JSON?, _ timeLimit: Duration, over client: HTTPClient)
        async throws -> (Int, [UInt8])
    {
        do throws(OutgoingError) {
            var request = try Self.request(HTTPMethod(rawValue: method), target, body)
            request.timeLimit = timeLimit
            let response = try await client.send(request)
            return (Int(response.status.code), Array(response.body.readableBytesView))
        } catch {
            throw CommandFailure(error)
        }
    }

    private static func request(_ method: HTTPMethod, _ target: String, _ body: JSON? = nil) throws(OutgoingError) -> OutgoingRequest {
        guard let url = HTTPURL("http://localhost\(target)") else { throw OutgoingError(.badRequest, "This cannot be asked for.") }
        return OutgoingRequest(
            method, url, headers: body == nil ? [:] : ["content-type": "application/json"],
            body: body.map { ByteBuffer(bytes: $0.bytes) } ?? ByteBuffer(), responseLimit: 64 << 20)
    }

    private func answer(_ method: String, _ target: String, _ body: JSON?, by composition: Composition) async throws -> (Int, [UInt8]) {
        guard let target = RequestTarget(target) else { throw CommandFailure(.usage, "This cannot be asked for.") }
        let request = Request(
            id: RequestID(value: SystemEntropy().uint64()), method: HTTPMethod(rawValue: method), target: target,
            headers: body == nil ? [:] : ["content-type": "application/json"],
            body: body.map { .bytes(ByteBuffer(bytes: $0.bytes)) } ?? .empty)
        let response = await composition.admin().respond(to: request).response
        guard case .bytes(let bytes) = response.body else { return (Int(response.status.code), []) }
        return (Int(response.status.code), Array(bytes.readableBytesView))
    }

    private static func failure(_ status: Int, _ problem: JSON) -> CommandFailure {
        let detail = problem["detail"]?.string ?? problem["title"]?.string ?? "The server answered \(status)."
        let errors = (problem["errors"]?.array ?? []).map { "\n  \($0["field"]?.string ?? ""): \($0["message"]?.string ?? "")" }
        return CommandFailure(status == 503 ? .unavailable : .failure, detail + errors.joined())
    }
}

extension CommandFailure {
    fileprivate init(_ error: OutgoingError) {
        switch error.reason {
        case .refused: self.init(.unavailable, "no server is running: \(error)")
        case .notPermitted: self.init(.permission, "\(error); try as the user that runs the server")
        case .badRequest: self.init(.usage, error.description)
        default: self.init(.unavailable, error.description)
        }
    }
}

/// Percent-encoding of everything but unreserved characters (RFC 3986 §2.3).
package enum PercentEncoding {
    package static func encode(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                encoded.unicodeScalars.append(UnicodeScalar(byte))
            default: encoded += "%\(Hex.encode([byte]))"
            }
        }
        return encoded
    }
}
