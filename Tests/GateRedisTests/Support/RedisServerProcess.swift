import GateCore
import GateNet
import GateTesting
import Glibc
import Synchronization

/// A redis-server of the test's own, on a Unix socket in a folder of its own, without persistence. It ends with this.
///
/// Its wall clock stands still until it is told to move, where asked.
final class RedisServerProcess: Sendable {
    let folder = TemporaryFolder()
    /// Microseconds since 1970, where the clock stands still.
    private let clock: UnsafeClock?
    private let arguments: [String]
    private let process = Mutex<pid_t>(0)
    private let program: String

    /// - Parameter options: as in redis.conf(5), with `--` in front.
    init(_ options: [String] = [], program: String = "redis-server", hasStillClock: Bool = false) throws {
        self.program = program
        var all = [
            "--unixsocket", folder.file("redis.sock"), "--save", "", "--appendonly", "no", "--dir", folder.path, "--loglevel", "warning",
            "--logfile", folder.file("redis.log"), "--daemonize", "no",
        ]
        if !options.contains("--port"), !options.contains("--tls-port") { all += ["--port", "0"] }
        arguments = all + options
        clock = hasStillClock ? try UnsafeClock(folder.file("clock")) : nil
        try start()
    }

    deinit { stop() }

    var socket: StreamDialer.Place { .unix(path: folder.file("redis.sock")) }

    func start() throws {
        var environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"]
        if clock != nil {
            environment += ["LD_PRELOAD=\(try WallClockLibrary.path)", "STILL_CLOCK_FILE=\(folder.file("clock"))"]
        }
        let pid = try Self.spawn([program] + arguments, environment)
        process.withLock { $0 = pid }
        let end = SystemTime().monotonic() + .seconds(10)
        while !isListening {
            guard SystemTime().monotonic() < end, kill(pid, 0) == 0 else { throw Failure("redis-server does not start: \(log)") }
            usleep(2000)
        }
    }

    /// Ends it at once, as the power failing does.
    func stop() {
        let pid = process.withLock { pid in
            defer { pid = 0 }
            return pid
        }
        guard pid > 0 else { return }
        kill(pid, SIGCONT)
        kill(pid, SIGKILL)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        unlink(folder.file("redis.sock"))
    }

    func pause() { _ = process.withLock { kill($0, SIGSTOP) } }
    func goOn() { _ = process.withLock { kill($0, SIGCONT) } }

    /// Lets time pass for it, or sets its clock back.
    func moveClock(by duration: Duration) { clock?.add(duration.wholeNanoseconds / 1000) }

    var log: String { folder.read("redis.log") ?? "" }

    private var isListening: Bool {
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = folder.file("redis.sock")
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    static func spawn(_ command: [String], _ environment: [String]) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in [0, 1, 2] as [Int32] {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        var arguments = command.map { strdup($0) } + [nil]
        var variables = environment.map { strdup($0) } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, command[0], &actions, nil, &arguments, &variables)
        guard code == 0 else { throw Failure("\(command[0]): \(String(cString: strerror(code)))") }
        return pid
    }
}

/// Eight bytes of a file that another process has mapped.
///
/// Sendable although it holds a pointer: `lock` is held wherever it is written, and only the other process reads.
private final class UnsafeClock: @unchecked Sendable {
    private let pointer: UnsafeMutablePointer<Int64>
    private let lock = Mutex<Void>(())

    init(_ path: String) throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(descriptor) }
        guard descriptor >= 0, ftruncate(descriptor, 8) == 0,
            let mapped = mmap(nil, 8, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), mapped != MAP_FAILED
        else { throw RedisServerProcess.Failure("no clock file") }
        pointer = mapped.bindMemory(to: Int64.self, capacity: 1)
        pointer.pointee = 1_795_132_800_000_000
    }

    deinit { munmap(pointer, 8) }

    func add(_ microseconds: Int64) { lock.withLock { _ in pointer.pointee += microseconds } }
}

/// wall_clock.c, compiled once for all tests.
private enum WallClockLibrary {
    private static let folder = TemporaryFolder()
    private static let result: Result<String, RedisServerProcess.Failure> = {
        let source = "\(#filePath)".split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/preload/wall_clock.c"
        let library = folder.file("wall_clock.so")
        do {
            let pid = try RedisServerProcess.spawn(
                ["gcc", "-O2", "-shared", "-fPIC", "-o", library, source], ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
            var status: Int32 = 0
            waitpid(pid, &status, 0)
            guard status == 0 else { return .failure(RedisServerProcess.Failure("wall_clock.c does not compile")) }
            return .success(library)
        } catch {
            return .failure(RedisServerProcess.Failure("\(error)"))
        }
    }()

    static var path: String { get throws { try result.get() } }
}
