import GateCore
import GateTesting
import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import GatehouseApp

@Suite("What the service manager is told")
struct ServiceManagerTests {
    private let folder = TemporaryFolder()

    @Test("Each state is one datagram on the socket that the environment names")
    func states() throws {
        let receiver = try DatagramReceiver(folder.file("notify"))
        let manager = ServiceManager(environment: ["NOTIFY_SOCKET": folder.file("notify")])
        #expect(manager.isPresent)
        manager.isReady(status: "Serving https://app.test")
        manager.isReloading(at: MonotonicInstant(nanoseconds: 5_000_999))
        manager.isAlive()
        manager.isStopping(within: .seconds(45))
        #expect(receiver.receive() == "READY=1\nSTATUS=Serving https://app.test")
        #expect(receiver.receive() == "RELOADING=1\nMONOTONIC_USEC=5000")
        #expect(receiver.receive() == "WATCHDOG=1")
        #expect(receiver.receive()?.hasPrefix("STOPPING=1\nEXTEND_TIMEOUT_USEC=45000000\n") == true)
    }

    @Test(
        "Where nobody listens, nothing happens", arguments: [[:], ["NOTIFY_SOCKET": ""], ["NOTIFY_SOCKET": "x"], ["NOTIFY_SOCKET": "/no"]])
    func nobody(environment: [String: String]) {
        let manager = ServiceManager(environment: environment)
        manager.isReady(status: "x")
        #expect(manager.isPresent == (environment["NOTIFY_SOCKET"] == "/no"))
    }

    @Test(
        "The watchdog's time is for the process that is named only",
        arguments: [
            ([:], nil), (["WATCHDOG_USEC": "30000000"], Duration.seconds(30)),
            (["WATCHDOG_USEC": "2000", "WATCHDOG_PID": "7"], .milliseconds(2)),
            (["WATCHDOG_USEC": "2000", "WATCHDOG_PID": "8"], nil), (["WATCHDOG_USEC": "0"], nil), (["WATCHDOG_USEC": "soon"], nil),
        ] as [([String: String], Duration?)])
    func watchdog(environment: [String: String], timeout: Duration?) {
        #expect(ServiceManager(environment: environment, processID: 7).watchdogTimeout == timeout)
    }

    @Test("CHECKLIST 54: the watchdog is fed while the event loops answer, and no longer")
    func fed() async throws {
        let receiver = try DatagramReceiver(folder.file("notify"))
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let service = WatchdogService(
            manager: ServiceManager(environment: ["NOTIFY_SOCKET": folder.file("notify")]), timeout: .milliseconds(20), group: group)
        let running = Task { try await service.run() }
        for _ in 0..<3 { #expect(receiver.receive() == "WATCHDOG=1") }
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        let waiting = ends[0]
        group.next().execute {
            var byte: UInt8 = 0
            _ = read(waiting, &byte, 1)
        }
        // What was on its way may still come.
        var last = 0
        while receiver.receive(within: 200) != nil { last += 1 }
        #expect(last < 20)
        for end in ends.reversed() { close(end) }
        #expect(receiver.receive() == "WATCHDOG=1")
        running.cancel()
        _ = await running.result
        try await group.shutdownGracefully()
    }
}
