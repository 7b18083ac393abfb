import GateCore
import GateTesting
import Glibc
import Testing

@testable import GatehouseApp

@Suite("Sockets from the service manager")
struct InheritedSocketsTests {
    /// A listening socket of this process, or a socket that does not listen.
    private static func socket(listening: Bool = true, ipv6: Bool = false) throws -> (descriptor: Int32, port: Int) {
        let descriptor = Glibc.socket(ipv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if listening { try #require(listen(descriptor, 1) == 0) }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &length) }
        }
        let port = withUnsafeBytes(of: &storage) { Int(UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self))) }
        return (descriptor, port)
    }

    private static func sockets(_ descriptor: Int32, _ variables: [String: String] = [:]) throws -> InheritedSockets {
        let environment = ["LISTEN_PID": "7", "LISTEN_FDS": "1"].merging(variables) { _, new in new }
        return try InheritedSockets(environment: environment, processID: 7, first: descriptor)
    }

    @Test("One is taken for the address that it listens on, once", arguments: [false, true])
    func taken(ipv6: Bool) throws {
        let (descriptor, port) = try Self.socket(ipv6: ipv6)
        defer { close(descriptor) }
        var sockets = try Self.sockets(descriptor, ["LISTEN_FDNAMES": "web"])
        #expect(sockets.take(for: .anyAddress(port: port + 1)).isEmpty)
        #expect(sockets.take(for: .tcp(IPAddress("127.0.0.1")!, port: port)).isEmpty)
        #expect(sockets.left == ["\(ipv6 ? "[::]" : "0.0.0.0"):\(port)"])
        let taken = sockets.take(for: .anyAddress(port: port))
        #expect(taken.map(\.descriptor) == [descriptor] && taken.first?.name == "web")
        #expect(sockets.isEmpty && sockets.take(for: .anyAddress(port: port)).isEmpty)
        #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0, "children do not inherit it")
    }

    @Test(
        "Without all that belongs to it, there is none",
        arguments: [["LISTEN_PID": "8"], ["LISTEN_PID": ""], ["LISTEN_FDS": "0"], ["LISTEN_FDS": "-1"], ["LISTEN_FDS": "many"]])
    func none(variables: [String: String]) throws {
        #expect(try Self.sockets(0, variables).isEmpty)
    }

    @Test("What does not listen is refused with a word about the unit")
    func noListener() throws {
        let (descriptor, _) = try Self.socket(listening: false)
        defer { close(descriptor) }
        let failure = #expect(throws: CommandFailure.self) { try Self.sockets(descriptor) }
        #expect(failure?.code == .configuration && failure?.message.contains("ListenStream=") == true)
        #expect(throws: CommandFailure.self) { try Self.sockets(1023) }
    }
}
