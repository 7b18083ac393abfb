import GateCore
import GateTesting
import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import GatehouseApp

@Suite("Doctor: what the machine says")
struct MachineTests {
    private static let header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"

    @Test("Sockets that listen are read from proc(5)")
    func table() {
        let text = """
            \(Self.header)
               0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0000 100 0 0 10 0
               1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4243 1 0000 100 0 0 10 0
               2: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4244 1 0000 100 0 0 10 0
               3: broken
               4: 0100007F 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4245 1 0000 100 0 0 10 0
            """
        #expect(
            PortHolders.listening(text, isIPv6: false) == [
                .init(address: IPAddress("127.0.0.1")!, port: 8080, user: 1000, inode: 4242),
                .init(address: IPAddress("0.0.0.0")!, port: 80, user: 0, inode: 4243),
            ])
        let six = """
            \(Self.header)
               0: B80D0120000000000000000001000000:01BB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  33        0 99 1 0
            """
        #expect(
            PortHolders.listening(six, isIPv6: true) == [.init(address: IPAddress("2001:db8::1")!, port: 443, user: 33, inode: 99)])
    }

    @Test("The holder of a port is found: by the exact address, then by any")
    func holders() {
        let folder = TemporaryFolder()
        mkdir(folder.file("net"), 0o700)
        folder.write(
            "net/tcp",
            """
            \(Self.header)
               0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0000 100 0 0 10 0
               1: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0000 100 0 0 10 0
            """)
        for (process, inode, name) in [("10", "1", "apache2"), ("11", "2", "caddy")] {
            for path in [process, "\(process)/fd"] { mkdir(folder.file(path), 0o700) }
            symlink("socket:[\(inode)]", folder.file("\(process)/fd/3"))
            folder.write("\(process)/comm", name + "\n")
        }
        let holders = PortHolders(root: folder.path)
        #expect(holders.holder(of: 80, at: IPAddress("127.0.0.1"))?.name == "caddy")
        #expect(holders.holder(of: 80, at: IPAddress("198.51.100.7"))?.description == "apache2 (process 10)")
        #expect(holders.holder(of: 81, at: nil) == nil)
    }

    @Test("A listener of this process is found on this machine")
    func ownListener() async throws {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0).get()
        let holder = PortHolders().holder(of: channel.localAddress!.port!, at: IPAddress("127.0.0.1"))
        try await channel.close()
        #expect(holder?.process == getpid())
    }

    @Test("Loopback is this machine's; an example's address is not")
    func addresses() {
        let local = LocalAddresses.ofThisMachine()
        #expect(local.contains(IPAddress("127.0.0.1")!) && local.contains(IPAddress("127.9.9.9")!) && local.contains(IPAddress("::1")!))
        #expect(!local.contains(IPAddress("198.51.100.7")!))
        #expect(
            LocalAddresses([IPAddress("10.0.0.1")!, IPAddress("8.8.8.8")!, IPAddress("fe80::1")!]).publicAddresses(isIPv4: true).count == 1)
    }

    @Test("Files and room are as stat(2) and statvfs(3) say")
    func files() throws {
        let folder = TemporaryFolder()
        folder.write("a", "", mode: 0o640)
        let facts = try FileFacts.of(folder.file("a")).get()
        #expect(!facts.isFolder && facts.mode == 0o640 && facts.owner == geteuid())
        #expect(try FileFacts.of(folder.path).get().isFolder)
        #expect(FileFacts.of(folder.file("b")) == .failure(FileFault(code: ENOENT)))
        #expect(try #require(FreeRoom.at(folder.path)).bytes > 0)
    }

    @Test("Files with keys that others can read are found, at any depth")
    func exposed() {
        let folder = TemporaryFolder()
        for path in ["acme", "acme/example"] { mkdir(folder.file(path), 0o700) }
        folder.write("secrets.toml", "", mode: 0o640)
        folder.write("gatehouse.db", "", mode: 0o644)
        folder.write("acme/account.json", "", mode: 0o600)
        folder.write("acme/example/key.pem", "", mode: 0o604)
        #expect(ExposedFiles.in(folder.path) == [folder.file("secrets.toml"), folder.file("acme/example/key.pem")])
    }
}
