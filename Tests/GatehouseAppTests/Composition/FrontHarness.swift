import GateAPI
import GateAccess
import GateCore
import GateHTTP
import GateNet
import GateTesting
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import GatehouseApp

/// All that answers, put together from a configuration as the server does it, on a folder of its own. Nothing listens.
struct FrontHarness: Sendable {
    let folder = TemporaryFolder()
    let time = ManualTime()
    let log = LogRecorder()
    let composition: Composition
    let client: HTTPClient
    let front: Front

    static func configuration(_ toml: String, folder: String) throws -> Configuration {
        var configuration = try load(toml).get().configuration
        configuration.dataDirectory = folder
        configuration.auth.bcryptCost = 4
        return configuration
    }

    static func run(_ toml: String, _ body: (FrontHarness) async throws -> Void) async throws {
        let harness = try await FrontHarness(toml)
        do { try await body(harness) } catch {
            await harness.close()
            throw error
        }
        await harness.close()
    }

    private init(_ toml: String) async throws {
        let configuration = try Self.configuration(toml, folder: folder.path)
        composition = try await Composition(configuration, time: time, entropy: SeededEntropy(seed: 1), log: log.logger)
        client = HTTPClient(egress: .any)
        front = try Front(configuration, of: composition, client: client, log: log.logger)
    }

    private func close() async {
        await client.shutDown()
        await composition.close()
    }

    func ask(
        _ path: String, host: String = "127.0.0.1", _ headers: HTTPHeaders = [:], _ method: HTTPMethod = .GET, body: String? = nil,
        from address: String = "192.0.2.1", of responder: (any Responder)? = nil
    ) async -> Reply {
        let request = Request(
            id: RequestID(value: 1), method: method, target: RequestTarget(path)!, headers: headers,
            body: body.map { .bytes(ByteBuffer(string: $0)) } ?? .empty, peer: IPAddress(address), client: IPAddress(address),
            authority: host, receivedAt: time.monotonic())
        return Reply(await (responder ?? front.responder).respond(to: request).response)
    }

    /// The bearer token of somebody who owns an organisation, or is in none.
    func token(_ email: String = "alice@example.com", organisation: String? = nil) async throws -> String {
        let fields =
            ["\"email\":\"\(email)\"", "\"password\":\"correct horse battery\""] + (organisation.map { ["\"org_name\":\"\($0)\""] } ?? [])
        let reply = Reply(
            await front.api.respond(
                to: Request(
                    id: RequestID(value: 2), method: .POST, target: RequestTarget("/api/v1/auth/register")!,
                    headers: ["content-type": "application/json"], body: .bytes(ByteBuffer(string: "{\(fields.joined(separator: ","))}")))
            ).response)
        return try #require(reply.json?["access_token"]?.string, "\(reply.text)")
    }
}

/// A response, its body read.
struct Reply {
    let status: Int
    let headers: HTTPHeaders
    let text: String

    init(_ response: Response) {
        status = Int(response.status.code)
        headers = HTTPHeaders(response.headers.map { $0 } + response.encodedFields.fields)
        if case .bytes(let buffer) = response.body { text = String(buffer: buffer) } else { text = "" }
    }

    var json: JSON? { try? JSON(parsing: Array(text.utf8)) }
    /// The code of a problem document, else what a site answers with.
    var word: String { json?["code"]?.string ?? (text.isEmpty ? "\(status)" : text) }
}

/// Answers with the request's target and fields, a line each.
private struct Mirror: Responder {
    func respond(to request: Request) -> Answer {
        let lines = ["\(request.method.rawValue) \(request.target.raw)"] + request.headers.map { "\($0.name.lowercased()): \($0.value)" }
        return .now(.text(.ok, lines.joined(separator: "\n")))
    }
}

private struct Nobody: ExchangeObserver {
    func finished(_ exchange: Exchange) {}
}

/// Runs an application that answers with what it was sent, and gives its port.
func withMirror(_ body: (Int) async throws -> Void) async throws {
    let server = HTTPServer(
        [Listener(.tcp(host: "127.0.0.1", port: 0))], responder: Mirror(), observer: Nobody(), group: MultiThreadedEventLoopGroup.singleton)
    let port = try #require(try await server.start().first?.port)
    do { try await body(port) } catch {
        await server.shutdownGracefully(within: .seconds(1))
        throw error
    }
    await server.shutdownGracefully(within: .seconds(1))
}
