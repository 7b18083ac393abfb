import GateCore
import Glibc
import Logging
import Synchronization
import Testing

@testable import GatehouseApp

/// A clock that always says 2026-11-21T00:00:00Z.
struct FixedTime: TimeSource {
    func now() -> Timestamp { Timestamp(seconds: 1_795_219_200) }
    func monotonic() -> MonotonicInstant { MonotonicInstant(nanoseconds: 0) }
}

/// A pipe whose other end is a log output.
final class LogPipe: Sendable {
    let output: LogOutput
    private let reader: Int32
    private let writer: Int32

    /// - Parameter bufferSize: what the kernel holds between the ends.
    init(
        style: LogStyle = .json, tellsPriority: Bool = false, capacity: Int = 4 << 20, bufferSize: Int32? = nil, isNonBlocking: Bool = false
    ) {
        var ends: [Int32] = [0, 0]
        precondition(pipe(&ends) == 0)
        reader = ends[0]
        writer = ends[1]
        // F_SETPIPE_SZ, which the C library hides behind _GNU_SOURCE.
        if let bufferSize { _ = fcntl(writer, 1031, bufferSize) }
        if isNonBlocking { _ = fcntl(writer, F_SETFL, O_NONBLOCK) }
        output = LogOutput(descriptor: writer, style: style, tellsPriority: tellsPriority, time: FixedTime(), capacity: capacity)
    }

    func closeReader() { close(reader) }

    /// Ends the output and returns all that it wrote and nobody read yet.
    func finish() -> [String] {
        let collected = Mutex<[UInt8]>([])
        withUnsafeCollector(collected) {
            output.stop()
            close(writer)
        }
        return collected.withLock { String(decoding: $0, as: UTF8.self).split(separator: "\n").map(String.init) }
    }

    /// Reads to the end in a thread of its own while `body` runs.
    private func withUnsafeCollector(_ collected: borrowing Mutex<[UInt8]>, _ body: () -> Void) {
        final class Collector: Sendable {
            let reader: Int32
            let bytes = Mutex<[UInt8]>([])
            init(_ reader: Int32) { self.reader = reader }
        }
        let collector = Collector(reader)
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { argument in
                let collector = Unmanaged<Collector>.fromOpaque(argument!).takeRetainedValue()
                var chunk = [UInt8](repeating: 0, count: 65_536)
                while case let count = read(collector.reader, &chunk, chunk.count), count > 0 {
                    collector.bytes.withLock { $0 += chunk[..<count] }
                }
                return nil
            }, Unmanaged.passRetained(collector).toOpaque())
        body()
        pthread_join(thread, nil)
        close(reader)
        let bytes = collector.bytes.withLock { $0 }
        collected.withLock { $0 = bytes }
    }
}

@Suite("Log output")
struct LogOutputTests {
    @Test("The journal is told each line's priority, syslog's numbers")
    func priorities() {
        let pipe = LogPipe(tellsPriority: true)
        pipe.output.heed(Configuration.Log(level: .trace))
        let logger = pipe.output.logger()
        for level in Logger.Level.allCases { logger.log(level: level, "line") }
        #expect(pipe.finish().map { String($0.prefix(4)) } == ["<7>{", "<7>{", "<6>{", "<5>{", "<4>{", "<3>{", "<2>{"])
    }

    @Test("What runs within a service and writes elsewhere is not taken for the journal")
    func journalStream() {
        var status = stat()
        fstat(STDIN_FILENO, &status)
        #expect(JournalStream.isBehind(STDIN_FILENO, environment: ["JOURNAL_STREAM": "\(status.st_dev):\(status.st_ino)"]))
        for other in ["\(status.st_dev):\(status.st_ino + 1)", "\(status.st_ino)", ""] {
            #expect(!JournalStream.isBehind(STDIN_FILENO, environment: ["JOURNAL_STREAM": other]))
        }
        #expect(!JournalStream.isBehind(STDIN_FILENO, environment: [:]))
    }

    @Test("What was appended before the orderly end is written, in order, from several threads")
    func nothingLost() async {
        let pipe = LogPipe()
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask { for line in 0..<5000 { pipe.output.append(Array("\(worker) \(line)".utf8)) } }
            }
        }
        #expect(pipe.output.dropped == 0)
        let lines = pipe.finish()
        #expect(lines.count == 20_000)
        for worker in 0..<4 {
            let own = lines.filter { $0.hasPrefix("\(worker) ") }
            #expect(own == (0..<5000).map { "\(worker) \($0)" })
        }
    }

    @Test("flush returns once the kernel has it")
    func flush() {
        let pipe = LogPipe()
        for round in 0..<20 {
            pipe.output.append(Array("line \(round)".utf8))
            pipe.output.flush()
        }
        #expect(pipe.finish().count == 20)
    }

    @Test("A reader that takes nothing costs lines, not time; how many is told when it goes on")
    func blockedReader() {
        let pipe = LogPipe(capacity: 10_000, bufferSize: 4096)
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: 99)
        for _ in 0..<2000 { pipe.output.append(line) }
        // 200 KB do not fit: at least this much is gone, and nobody has waited.
        let dropped = pipe.output.dropped
        #expect(dropped > 1000)
        pipe.output.flush(patience: .milliseconds(5))
        let before = pipe.finish()
        let notices = before.filter { $0.contains("Log lines were dropped") }
        let told = notices.compactMap { $0.split(separator: "\"dropped\":\"").last.flatMap { Int($0.prefix { $0.isNumber }) } }.reduce(0, +)
        #expect(before.count - notices.count + told + pipe.output.dropped == 2000)
        #expect(!notices.isEmpty)
    }

    @Test("A reader that is gone ends nothing", arguments: [false, true])
    func closedReader(isNonBlocking: Bool) {
        let pipe = LogPipe(isNonBlocking: isNonBlocking)
        pipe.closeReader()
        for _ in 0..<100 {
            pipe.output.append(Array("line".utf8))
            pipe.output.flush(patience: .seconds(10))
        }
        #expect(pipe.output.dropped == 100)
        pipe.output.stop()
    }

    @Test("A descriptor that does not block is waited for")
    func nonBlocking() {
        let pipe = LogPipe(bufferSize: 4096, isNonBlocking: true)
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: 99)
        for _ in 0..<1000 { pipe.output.append(line) }
        #expect(pipe.output.dropped == 0)
        // Stopping gives up on a reader that takes nothing for a second; this one reads.
        #expect(pipe.finish().count == 1000)
    }
}
