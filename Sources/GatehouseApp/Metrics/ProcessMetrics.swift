package import GateCore
import Glibc

/// What the kernel tells of this process (proc(5)), read when asked for. The names are those of Prometheus's own client libraries.
enum ProcessMetrics {
    static func register(in registry: MetricsRegistry, _ time: SystemTime) {
        registry.counter("process_cpu_seconds_total", "Time on the processors, user and system, in seconds.") {
            status.map { Double($0.userTicks + $0.systemTicks) / ticksPerSecond }
        }
        registry.gauge("process_resident_memory_bytes", "Memory in use.") {
            status.map { Double($0.residentPages * Int(sysconf(Int32(_SC_PAGESIZE)))) }
        }
        registry.gauge("process_virtual_memory_bytes", "Address space in use.") { status.map { Double($0.virtualBytes) } }
        registry.gauge("process_open_fds", "Open file descriptors.") { openDescriptors.map(Double.init) }
        registry.gauge("process_max_fds", "The most file descriptors that may be open.") {
            var limit = rlimit()
            guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
            return limit.rlim_cur == rlim_t.max ? .infinity : Double(limit.rlim_cur)
        }
        registry.gauge("process_threads", "Threads.") { status.map { Double($0.threads) } }
        // Not from /proc/stat, which a sandboxed service does not see (systemd.exec(5), `ProcSubset=`).
        let booted = Double(time.now().milliseconds) / 1000 - time.sinceBoot() / .seconds(1)
        let start = status.map { booted + Double($0.startTicks) / ticksPerSecond }
        registry.gauge("process_start_time_seconds", "When the process began, in seconds since 1970.") { start }
    }

    struct Status: Equatable {
        var userTicks: Int
        var systemTicks: Int
        var threads: Int
        /// Since the boot.
        var startTicks: Int
        var virtualBytes: Int
        var residentPages: Int

        /// Reads `/proc/PID/stat`. The second field is the program's name, in parentheses, and may hold anything.
        init?(_ text: String) {
            guard let end = text.lastIndex(of: ")") else { return nil }
            // From the third field on.
            let fields = text[text.index(after: end)...].split { $0 == " " || $0 == "\n" }
            func field(_ number: Int) -> Int? { number - 3 < fields.count ? Int(fields[number - 3]) : nil }
            guard let user = field(14), let system = field(15), let threads = field(20), let start = field(22), let virtual = field(23),
                let resident = field(24)
            else { return nil }
            userTicks = user
            systemTicks = system
            self.threads = threads
            startTicks = start
            virtualBytes = virtual
            residentPages = resident
        }
    }

    private static let ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))

    private static var status: Status? { (try? TextFile(path: "/proc/self/stat")).flatMap { Status($0.text) } }

    private static var openDescriptors: Int? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while let entry = readdir(folder) { if entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { count += 1 } }
        // One of them is the folder itself.
        return count - 1
    }
}

extension MetricsRegistry {
    /// Registers what the kernel tells of this process.
    package func registerProcess(_ time: SystemTime = SystemTime()) { ProcessMetrics.register(in: self, time) }
}
