import GateCore
import GateTesting
import Logging
import Testing

@testable import GatehouseApp

@Suite("Starts that end early")
struct StartBackoffTests {
    private let folder = TemporaryFolder()

    private static func moment(_ seconds: Double) -> MonotonicInstant { MonotonicInstant(nanoseconds: UInt64(seconds * 1e9)) }

    @Test("CHECKLIST 54: a crash loop backs off: three restarts are at once, then each waits twice as long, 15 s at most")
    func loop() {
        var now = 1000.0
        var last: StartBackoff?
        var waits: [Duration] = []
        for _ in 0..<12 {
            let start = StartBackoff(after: last, at: Self.moment(now))
            waits.append(start.wait)
            now += start.wait / .seconds(1) + 0.3
            last = start
        }
        #expect(waits == [0, 0, 0, 0, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000].map { .milliseconds($0) })
    }

    @Test("What ran for a minute begins anew; its wait does not count as running", arguments: [(59.9, 6), (60.1, 0)])
    func lasting(ran: Double, early: Int) throws {
        let fifth = try #require(StartBackoff("5 1000000000000\n"))
        #expect(StartBackoff(after: fifth, at: Self.moment(1000 + ran)).early == early)
        let waited = StartBackoff(after: fifth, at: Self.moment(1000))
        #expect(waited.began == Self.moment(1002))
    }

    @Test("Nothing but what was written is read", arguments: ["", "1", "x 1", "-1 5", "1 2 3", "1 -2"])
    func text(malformed: String) {
        #expect(StartBackoff(malformed) == nil)
        let start = StartBackoff(after: StartBackoff("2 5"), at: Self.moment(1))
        #expect(StartBackoff(start.text) == start)
    }

    @Test("It is remembered where the service manager keeps a folder for it, until a start ends in good order")
    func record() async throws {
        let receiver = try DatagramReceiver(folder.file("notify"))
        let environment = ["NOTIFY_SOCKET": folder.file("notify"), "RUNTIME_DIRECTORY": folder.path]
        let manager = ServiceManager(environment: environment)
        let time = ManualTime()
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let record = try #require(StartRecord(environment: environment, manager: manager))
        for _ in 0..<5 { try await record.wait(time, manager: manager, log: log) }
        #expect(receiver.receive() == "STATUS=Waiting 0.5 seconds: the last 4 starts ended early")
        record.forget()
        try await record.wait(time, manager: manager, log: log)
        #expect(receiver.receive(within: 50) == nil)
        #expect(StartRecord(environment: ["RUNTIME_DIRECTORY": folder.path], manager: ServiceManager(environment: [:])) == nil)
        #expect(StartRecord(environment: ["NOTIFY_SOCKET": "/no"], manager: manager) == nil)
    }
}
