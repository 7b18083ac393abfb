import GateCore
import GateHTTP
import GateNet
import GateTesting
import Glibc
import NIOCore
import NIOHTTP1
import Testing

@testable import GatehouseApp

@Suite("Sockets that no setting names")
struct WaitingDoorTests {
    private static func door(_ toml: String, ports: [Int] = [80, 443], file: String? = "/etc/gatehouse/gatehouse.toml") throws
        -> WaitingDoor?
    {
        let folder = TemporaryFolder()
        folder.write("gatehouse.toml", toml)
        let sources = Configuration.Sources(configurationFile: folder.file("gatehouse.toml"), cores: 1)
        let sockets = ports.map { port in
            InheritedSockets.Socket(
                name: nil, descriptor: 3, address: IPAddress("::"), port: port, path: nil, isDualStack: true)
        }
        return WaitingDoor(sockets, try Configuration.load(sources).get().configuration, file: file)
    }

    private static func answer(_ door: WaitingDoor, accept: String) async -> (status: HTTPResponseStatus, text: String, type: String?) {
        let request = Request(
            id: RequestID(value: 1), method: .GET, target: RequestTarget("/api/v1/auth/login")!, headers: ["accept": accept])
        let response = await door.responder(baseURL: "http://127.0.0.1:8080").respond(to: request).response
        guard case .bytes(let bytes) = response.body else { return (response.status, "", nil) }
        return (response.status, String(buffer: bytes), response.headers.first(name: "content-type"))
    }

    @Test("Before anything is configured, people and programs are told what is waited for, and nothing else is served")
    func unconfigured() async throws {
        let door = try #require(try Self.door(""))
        #expect(door.reason == .unconfigured(file: "/etc/gatehouse/gatehouse.toml") && door.status == "Waiting for public_url")
        let page = await Self.answer(door, accept: "text/html")
        #expect(page.status == .serviceUnavailable && page.type == "text/html; charset=utf-8")
        #expect(page.text.contains("Gatehouse is installed") && page.text.contains("public_url in /etc/gatehouse/gatehouse.toml"))
        let problem = await Self.answer(door, accept: "application/json")
        #expect(problem.status == .serviceUnavailable && problem.type == "application/problem+json")
        #expect(problem.text.contains("\"code\":\"unavailable\"") && problem.text.contains("waits for public_url"))
    }

    @Test("Beside settings that name other addresses, nothing is told of them")
    func unnamed() async throws {
        let door = try #require(try Self.door("public_url = \"https://app.test\"\nlisten.http = [\":8080\"]"))
        #expect(door.reason == .unnamed && door.status == nil)
        #expect(!(await Self.answer(door, accept: "text/html")).text.contains("gatehouse.toml"))
    }

    @Test("On 443 nobody is let in; without sockets there is no door")
    func listeners() throws {
        let door = try #require(try Self.door(""))
        #expect(door.listeners.map { $0.decorator == nil } == [true, false])
        #expect(try Self.door("", ports: []) == nil)
    }
}
