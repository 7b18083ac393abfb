import CMalloc
import Glibc
import ServiceLifecycle

/// Gives memory back to the kernel that a burst has left free.
///
/// free(3) gives back only what is free at the end of an arena, of which every thread has one: after large bodies to many slow clients half
/// of the resident set was free memory between what is in use.
struct MemoryService: Service {
    private static let interval = Duration.seconds(5)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var trimming = MemoryTrimming()
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                // To walk the arenas takes a fraction of a millisecond, and holds up who allocates from the one that is looked at.
                if trimming.isDue(resident: Self.residentBytes, free: { Int(mallinfo2().fordblks) }) {
                    malloc_trim(0)
                    trimming.trimmed(resident: Self.residentBytes)
                }
            }
        }
    }

    /// See proc_pid_statm(5): the second field, in pages. Zero where it cannot be read.
    private static var residentBytes: Int {
        guard let file = fopen("/proc/self/statm", "re") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
        let fields = line.prefix { $0 != 0 }.split(separator: 0x20)
        guard fields.count > 1, let pages = Int(String(decoding: fields[1].map { UInt8(bitPattern: $0) }, as: UTF8.self)) else { return 0 }
        return pages * Int(getpagesize())
    }
}

/// When it is worth it: only where the process has grown since the last time, and much of it is free. What was given back still counts as
/// free to malloc(3).
struct MemoryTrimming {
    /// In bytes.
    static let worth = 8 << 20
    private var resting = 0

    func isDue(resident: Int, free: () -> Int) -> Bool { resident > resting + Self.worth && free() > Self.worth }

    /// - Parameter resident: what is left.
    mutating func trimmed(resident: Int) { resting = resident }
}
