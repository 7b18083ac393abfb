import GateCore
import GateHTTP
import GateTesting
import Logging
import NIOHTTP1
import Testing

@testable import GatehouseApp

@Suite("Log lines")
struct LogLineTests {
    private func lines(style: LogStyle = .json, level: Logger.Level = .info, _ log: (Logger) -> Void) -> [String] {
        let pipe = LogPipe(style: style)
        var configuration = Configuration.Log()
        configuration.level = level
        pipe.output.heed(configuration)
        log(pipe.output.logger())
        return pipe.finish()
    }

    private struct Failure: Error, CustomStringConvertible { var description: String { "disk on fire" } }

    @Test("JSON lines have time, level, message and the metadata beside them")
    func json() {
        let lines = lines { log in
            var log = log
            log[metadataKey: "request_id"] = "00ff"
            log.info("Hello \"you\"\n", metadata: ["b": ["x", "y"], "a": ["k": "v"], "n": .stringConvertible(3), "time": "t"])
            log.debug("not this")
            log.error("Broken", error: Failure())
        }
        #expect(
            lines == [
                #"{"time":"2026-11-21T00:00:00.000Z","level":"info","message":"Hello \"you\"\n","a":{"k":"v"},"b":["x","y"],"n":"3","request_id":"00ff","time_":"t"}"#,
                #"{"time":"2026-11-21T00:00:00.000Z","level":"error","message":"Broken","error":"disk on fire","request_id":"00ff"}"#,
            ])
    }

    @Test("CHECKLIST 43: what is named like a secret is redacted, nested too, in both forms", arguments: [LogStyle.json, .text])
    func secrets(style: LogStyle) {
        for name in ["password", "new_password", "Authorization", "set-cookie", "access_token", "JWT", "api_key", "client_secret"] {
            let lines = lines(style: style) { log in
                log.info("m", metadata: [name: "hunter2"])
                log.info("m", metadata: ["outer": [name: ["hunter2"]], "key": .stringConvertible(Secret("hunter2"))])
            }
            #expect(lines.count == 2)
            #expect(lines.allSatisfy { !$0.contains("hunter2") && $0.contains("<redacted>") })
        }
    }

    @Test("On a terminal, a line cannot be forged nor the terminal commanded")
    func text() {
        let lines = lines(style: .text) { $0.warning("a\nb\u{1B}[2J\u{9B}", metadata: ["plain": "word", "odd": "two words\n\u{1B}"]) }
        #expect(lines.count == 1)
        let plain = lines[0].replacing("\u{1B}[2m", with: "").replacing("\u{1B}[33m", with: "").replacing("\u{1B}[0m", with: "")
        #expect(plain == "00:00:00.000 WARNING  a\u{FFFD}b\u{FFFD}[2J\u{FFFD} odd=\"two words\\n\\u001b\" plain=word")
    }

    private func exchange(
        _ target: String, status: HTTPResponseStatus = .ok, userAgent: String? = nil, isAborted: Bool = false
    ) -> Exchange {
        let request = Request(
            id: RequestID(value: 255), method: .GET, target: RequestTarget(target)!, headers: userAgent.map { ["User-Agent": $0] } ?? [:],
            client: IPAddress("192.0.2.1"))
        return Exchange(request: request, status: status, responseBytes: 12, duration: .microseconds(1500), isAborted: isAborted)
    }

    private func access(_ access: Configuration.Log.Access, style: LogStyle = .json, _ exchanges: [Exchange]) -> [String] {
        let pipe = LogPipe(style: style)
        var configuration = Configuration.Log()
        configuration.access = access
        pipe.output.heed(configuration)
        let log = AccessLog(pipe.output)
        for exchange in exchanges { log.finished(exchange) }
        return pipe.finish()
    }

    @Test("CHECKLIST 43: the access log shows the path and never the query")
    func accessLine() {
        let exchanges = [
            exchange("/a%20b?token=hunter2", userAgent: "x\"\u{1}y"), exchange("/b", status: .internalServerError, isAborted: true),
        ]
        #expect(
            access(.all, exchanges) == [
                #"{"time":"2026-11-21T00:00:00.000Z","level":"info","message":"request","request_id":"00000000000000ff","method":"GET","path":"/a%20b","status":200,"bytes":12,"duration_ms":1.5,"client":"192.0.2.1","user_agent":"x\"\u0001y"}"#,
                #"{"time":"2026-11-21T00:00:00.000Z","level":"error","message":"request","request_id":"00000000000000ff","method":"GET","path":"/b","status":500,"bytes":12,"duration_ms":1.5,"client":"192.0.2.1","aborted":true}"#,
            ])
        let text = access(.all, style: .text, exchanges)
        #expect(text.count == 2 && text[0].contains("GET /a%20b 200 1.5 ms") && !text[0].contains("hunter2"))
    }

    @Test("What clients choose is cut")
    func cut() {
        let lines = access(.all, [exchange("/" + String(repeating: "p", count: 5000), userAgent: String(repeating: "é", count: 5000))])
        #expect(lines.count == 1 && lines[0].utf8.count < 1700 && lines[0].contains("…"))
    }

    @Test("Successful probes are left out; log.access chooses the rest")
    func chosen() {
        let exchanges = [
            exchange("/health"), exchange("/api/health"), exchange("/api/v1/health?x"), exchange("/api/v1/health/live"),
            exchange("/api/v1/health/ready", status: .serviceUnavailable), exchange("/api/v1/healthy"), exchange("/", status: .notFound),
            exchange("/big", isAborted: true),
        ]
        func paths(_ choice: Configuration.Log.Access) -> [String] {
            access(choice, exchanges).map { $0.split(separator: "\"path\":\"")[1].prefix { $0 != "\"" } }.map(String.init)
        }
        #expect(paths(.all) == ["/api/v1/health/ready", "/api/v1/healthy", "/", "/big"])
        #expect(paths(.errors) == ["/api/v1/health/ready", "/", "/big"])
        #expect(paths(.off) == [])
    }

    @Test("auto is JSON where no terminal is")
    func format() {
        let folder = TemporaryFolder()
        folder.write("log", "")
        #expect(LogStyle(.json, descriptor: 0) == .json)
        #expect(LogStyle(.text, descriptor: 0) == .text)
        #expect(LogStyle(.auto, descriptor: -1) == .json)
    }
}
