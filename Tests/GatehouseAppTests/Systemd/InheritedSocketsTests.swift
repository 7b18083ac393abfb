import GateCore
import GateTesting
import Glibc
import Testing

@testable import GatehouseApp

@Suite("Sockets from the service manager")
struct InheritedSocketsTests {
    /// A listening socket of this process, or a socket that does not listen.
    private static func socket(
        listening: Bool = true, ipv6: Bool = false, isIPv6Only: Bool = false
    ) throws -> (descriptor: Int32, port: Int) {
        let descriptor = Glibc.socket(ipv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if ipv6 {
            var only: Int32 = isIPv6Only ? 1 : 0
            setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &only, socklen_t(MemoryLayout<Int32>.size))
        }
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
        let others: [ListenAddress] = [.anyAddress(port: port + 1), .tcp(IPAddress("127.0.0.1")!, port: port)]
        let (none, untaken) = sockets.take(for: others)
        #expect(none.isEmpty && untaken == others)
        #expect(sockets.left.map(\.description) == ["\(ipv6 ? "[::]" : "0.0.0.0"):\(port)"])
        let (taken, missing) = sockets.take(for: [.anyAddress(port: port)])
        #expect(taken.map(\.descriptor) == [descriptor] && taken.first?.name == "web" && missing.isEmpty)
        #expect(sockets.left.isEmpty && sockets.take(for: [.anyAddress(port: port)]).sockets.isEmpty)
        #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0, "children do not inherit it")
    }

    /// A socket, what it stands for, and which addresses are left to be listened on.
    private struct Meaning: Sendable {
        let ipv6: Bool
        var isIPv6Only = false
        let wanted: [String]
        let others: [String]
    }

    private static let meanings = [
        Meaning(ipv6: true, wanted: ["0.0.0.0", "[::]"], others: []),
        Meaning(ipv6: true, wanted: ["0.0.0.0"], others: []),
        Meaning(ipv6: true, wanted: ["", "127.0.0.1"], others: ["127.0.0.1"]),
        Meaning(ipv6: true, isIPv6Only: true, wanted: ["0.0.0.0", "[::]"], others: ["0.0.0.0"]),
        Meaning(ipv6: false, wanted: ["0.0.0.0", "[::]"], others: ["[::]"]),
        Meaning(ipv6: false, wanted: [""], others: []),
    ]

    @Test("CHECKLIST 55: one of both protocols stands for 0.0.0.0, [::] and every address together", arguments: meanings)
    private func dualStack(meaning: Meaning) throws {
        let (descriptor, port) = try Self.socket(ipv6: meaning.ipv6, isIPv6Only: meaning.isIPv6Only)
        defer { close(descriptor) }
        var sockets = try Self.sockets(descriptor)
        let (taken, others) = sockets.take(for: try meaning.wanted.map { try ListenAddress("\($0):\(port)") })
        #expect(taken.count == 1 && others.map(\.description) == meaning.others.map { "\($0):\(port)" })
    }

    @Test("One that has every address's port is in the way of a single address, unless it is of the other protocol")
    func obstacle() throws {
        let (dual, port) = try Self.socket(ipv6: true)
        let (only, otherPort) = try Self.socket(ipv6: true, isIPv6Only: true)
        defer {
            close(dual)
            close(only)
        }
        func isInTheWay(_ descriptor: Int32, _ address: String) throws -> Bool {
            try Self.sockets(descriptor).obstacle(to: ListenAddress(address)) != nil
        }
        #expect(try isInTheWay(dual, "127.0.0.1:\(port)"))
        #expect(try isInTheWay(dual, "[::1]:\(port)"))
        #expect(try !isInTheWay(dual, "127.0.0.1:\(otherPort)"))
        #expect(try isInTheWay(only, "[::1]:\(otherPort)"))
        #expect(try !isInTheWay(only, "127.0.0.1:\(otherPort)"))
    }

    @Test(
        "Without all that belongs to it, there is none",
        arguments: [["LISTEN_PID": "8"], ["LISTEN_PID": ""], ["LISTEN_FDS": "0"], ["LISTEN_FDS": "-1"], ["LISTEN_FDS": "many"]])
    func none(variables: [String: String]) throws {
        #expect(try Self.sockets(0, variables).left.isEmpty)
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
