package import NIOCore
package import NIOHTTP1
import NIOPosix

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Asks a server on this machine over its Unix socket, one request to a connection: how the command line talks to `gatehouse serve`.
package struct UnixHTTPClient: Sendable {
    package struct Response: Sendable {
        package var status: HTTPResponseStatus
        package var headers: HTTPHeaders
        package var body: ByteBuffer
    }

    package enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
        /// There is no socket (ENOENT): no server has been started, or it uses another path.
        case noSocket(path: String)
        /// There is a socket, and nobody listens (ECONNREFUSED): the server is gone.
        case notListening(path: String)
        case notPermitted(path: String)
        case timedOut(path: String)
        /// The connection broke, or what came was no response, or more than ``UnixHTTPClient/sizeLimit``.
        case broken(path: String, String)

        package var description: String {
            switch self {
            case .noSocket(let path): "no server is running: \(path) does not exist"
            case .notListening(let path): "no server is running: nobody listens on \(path) any more"
            case .notPermitted(let path): "no permission to use \(path); try as the user that runs the server"
            case .timedOut(let path): "the server on \(path) did not answer in time"
            case .broken(let path, let reason): "the server on \(path) gave no proper answer: \(reason)"
            }
        }
    }

    /// The largest body that is taken in, in bytes.
    package static let sizeLimit = 64 << 20

    private let path: String
    private let limit: Duration
    private let group: any EventLoopGroup

    /// `limit` is for the whole of a request.
    package init(path: String, within limit: Duration = .seconds(30), group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton) {
        self.path = path
        self.limit = limit
        self.group = group
    }

    /// - Throws: ``Failure``.
    package func request(
        _ method: HTTPMethod, _ target: String, headers: HTTPHeaders = [:], body: ByteBuffer = ByteBuffer()
    ) async throws -> Response {
        let channel = try await connect()
        let answer = channel.eventLoop.makePromise(of: Response.self)
        let deadline = channel.eventLoop.scheduleTask(in: TimeAmount(limit)) { [path] in answer.fail(Failure.timedOut(path: path)) }
        defer {
            deadline.cancel()
            channel.close(promise: nil)
        }
        let head = Self.head(method, target, headers, length: body.readableBytes)
        do {
            try await channel.eventLoop.submit { [path] in
                try channel.pipeline.syncOperations.addHTTPClientHandlers()
                try channel.pipeline.syncOperations.addHandler(UnixHTTPExchange(answer, path: path))
                channel.pipeline.syncOperations.write(NIOAny(HTTPClientRequestPart.head(head)), promise: nil)
                channel.pipeline.syncOperations.write(NIOAny(HTTPClientRequestPart.body(.byteBuffer(body))), promise: nil)
                channel.pipeline.syncOperations.writeAndFlush(NIOAny(HTTPClientRequestPart.end(nil)), promise: nil)
                channel.read()
            }.get()
        } catch {
            answer.fail(error)
        }
        return try await withTaskCancellationHandler {
            try await answer.futureResult.get()
        } onCancel: {
            answer.fail(CancellationError())
        }
    }

    private func connect() async throws -> any Channel {
        do {
            return try await ClientBootstrap(group: group)
                .channelOption(.autoRead, value: false)
                .connectTimeout(TimeAmount(limit))
                .connect(unixDomainSocketPath: path).get()
        } catch let error as IOError {
            throw switch error.errnoCode {
            case ENOENT, ENOTDIR: Failure.noSocket(path: path)
            case ECONNREFUSED: Failure.notListening(path: path)
            case EACCES, EPERM: Failure.notPermitted(path: path)
            default: Failure.broken(path: path, "\(error)")
            }
        } catch {
            throw Failure.broken(path: path, "\(error)")
        }
    }

    private static func head(_ method: HTTPMethod, _ target: String, _ headers: HTTPHeaders, length: Int) -> HTTPRequestHead {
        var headers = headers
        if !headers.contains(name: "host") { headers.add(name: "host", value: "localhost") }
        headers.replaceOrAdd(name: "content-length", value: String(length))
        headers.replaceOrAdd(name: "connection", value: "close")
        return HTTPRequestHead(version: .http1_1, method: method, uri: target, headers: headers)
    }
}
