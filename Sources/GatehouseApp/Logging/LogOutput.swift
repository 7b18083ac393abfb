package import GateCore
import Glibc
package import Logging
import Synchronization

/// Where log lines go: a bounded buffer that one thread writes to a descriptor, in large pieces.
///
/// Whoever logs never waits for the reader. When the buffer is full, or the reader is gone, lines are dropped and counted, and how
/// many were is logged once writing goes on. What is in the buffer when the process is killed is lost: at most ``linger``'s worth,
/// while the reader keeps up.
package final class LogOutput: Sendable {
    private struct State {
        var pending: [UInt8] = []
        var lines = 0
        /// Not told yet.
        var dropped = 0
        var isWriting = false
        /// The writer sleeps on `wake` and has not been woken.
        var isIdle = false
        var isStopping = false
    }

    private let state = Mutex(State())
    private let wake = Semaphore()
    private let descriptor: Int32
    private let tellsPriority: Bool
    private let capacity: Int
    private let minimum: Atomic<Int>
    private let access: Atomic<Int>
    /// The form that lines have here.
    package let style: LogStyle
    package let time: any TimeSource
    private let thread = Mutex<pthread_t?>(nil)

    /// Pieces are written at most this often, in microseconds: it spares whoever logs from waking the writer for each line.
    private static let linger: UInt32 = 2000

    /// - Parameters:
    ///   - tellsPriority: whether the reader is the journal, which takes each line's severity from its first bytes.
    ///   - capacity: bytes that may wait to be written.
    package init(
        descriptor: Int32, style: LogStyle, tellsPriority: Bool = false, time: any TimeSource, capacity: Int = 4 << 20
    ) {
        self.descriptor = descriptor
        self.tellsPriority = tellsPriority
        self.style = style
        self.time = time
        self.capacity = capacity
        minimum = Atomic(Self.place(of: Configuration.Log().level))
        access = Atomic(Self.place(of: Configuration.Log().access))
        var started = pthread_t()
        let code = pthread_create(
            &started, nil,
            { argument in
                Unmanaged<LogOutput>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        // Without a thread nothing can be logged, and a process that cannot have one can do nothing else either.
        precondition(code == 0, "no thread for the log: \(String(cString: strerror(code)))")
        thread.withLock { $0 = started }
    }

    // MARK: What is logged

    /// From now on as `settings` say, but for the form.
    package func heed(_ settings: Configuration.Log) {
        minimum.store(Self.place(of: settings.level), ordering: .relaxed)
        access.store(Self.place(of: settings.level > .info ? .off : settings.access), ordering: .relaxed)
    }

    /// The least severity of lines.
    var level: Logger.Level { Logger.Level.allCases[minimum.load(ordering: .relaxed)] }

    /// Which requests have a line.
    var accessLines: Configuration.Log.Access { Configuration.Log.Access.allCases[access.load(ordering: .relaxed)] }

    private static func place<Choice: CaseIterable & Equatable>(of choice: Choice) -> Int where Choice.AllCases == [Choice] {
        Choice.allCases.firstIndex(of: choice) ?? 0
    }

    // MARK: Lines

    /// Takes one line, without its line end. Never blocks on the reader.
    package func append(_ line: [UInt8], _ level: Logger.Level = .info) {
        let needsWake = state.withLock { state in
            guard state.pending.count + line.count < capacity, !state.isStopping else {
                state.dropped += 1
                return false
            }
            if tellsPriority { state.pending.append(contentsOf: JournalStream.prefix(level).utf8) }
            state.pending.append(contentsOf: line)
            state.pending.append(UInt8(ascii: "\n"))
            state.lines += 1
            defer { state.isIdle = false }
            return state.isIdle
        }
        if needsWake { wake.signal() }
    }

    /// Returns when everything that was appended before has been handed to the kernel, or after `patience` with a reader that
    /// takes nothing.
    package func flush(patience: Duration = .seconds(2)) {
        let step = Duration.microseconds(200)
        for _ in 0..<Int(patience / step) {
            guard state.withLock({ !$0.pending.isEmpty || $0.isWriting }) else { return }
            usleep(200)
        }
    }

    /// Writes what is left and ends the thread; later lines are dropped. Waits for as long as the reader takes.
    package func stop() {
        state.withLock { state in
            state.isStopping = true
            state.isIdle = false
        }
        wake.signal()
        let started = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        if let started { pthread_join(started, nil) }
    }

    /// Lines that were dropped and not told yet.
    var dropped: Int { state.withLock { $0.dropped } }

    private func run() {
        // Whatever the process does about SIGPIPE: a reader that is gone is an error of write(2) here.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        var piece: [UInt8] = []
        while true {
            piece.removeAll(keepingCapacity: true)
            let (lines, dropped, isStopping) = state.withLock { state in
                swap(&state.pending, &piece)
                let taken = (state.lines, state.dropped, state.isStopping)
                state.isWriting = !piece.isEmpty
                // With nothing to write, to tell of dropped lines would be a line of its own each time around.
                state.isIdle = piece.isEmpty && !state.isStopping
                state.lines = 0
                if !piece.isEmpty { state.dropped = 0 }
                return taken
            }
            if piece.isEmpty {
                if isStopping { return }
                wake.wait()
                continue
            }
            var unwritten = lines
            if dropped > 0 { piece.insert(contentsOf: dropNotice(dropped), at: 0) }
            if write(piece) { unwritten = 0 }
            state.withLock { state in
                state.isWriting = false
                if unwritten > 0 { state.dropped += unwritten + dropped }
            }
            if !isStopping { usleep(Self.linger) }
        }
    }

    private func dropNotice(_ count: Int) -> [UInt8] {
        let line = LogLine(
            time: time.now(), level: .warning, message: "Log lines were dropped: nobody took them", fields: ["dropped": "\(count)"])
        return (tellsPriority ? Array(JournalStream.prefix(line.level).utf8) : []) + style.line(line) + [UInt8(ascii: "\n")]
    }

    /// Whether the whole piece was taken.
    private func write(_ piece: [UInt8]) -> Bool {
        var written = 0
        while written < piece.count {
            let count = piece.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + written, $0.count - written) }
            if count >= 0 {
                written += count
            } else if errno == EAGAIN {
                // Somebody made the descriptor non-blocking, for all who share it.
                var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                Glibc.poll(&poll, 1, 1000)
                if state.withLock({ $0.isStopping }), poll.revents & Int16(POLLOUT) == 0 { return false }
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}
