import CPostgres
import GateCore
import GateSQL
import Glibc

/// One connection. Confined to its thread, which waits in poll(2) for the server, never longer than it is told.
final class PostgresConnection {
    private let library: LibPQ
    let handle: OpaquePointer
    private let time: any TimeSource
    /// Where statements are prepared under names: those that were.
    var prepared = PreparedStatements()
    /// After what it may not get over: it must be closed then.
    var isBroken = false
    /// Whether the server said nothing in the time in which it must, see ``silenceLimit``.
    private(set) var isSilent = false
    /// What a server that is there may take to answer what it is asked now. Not to be answered for less says nothing of it.
    var silenceLimit = Duration.zero
    let madeAt: MonotonicInstant
    /// When something was sent last.
    private(set) var lastUsed: MonotonicInstant

    var functions: gate_libpq { @inline(__always) get { library.functions.pointee } }

    /// Connects to the first of the hosts that answers and, unless the address says otherwise, takes writes.
    ///
    /// Each host has its share of `limit`: one whose machine is gone, and that refuses nothing, does not keep from those behind it. (libpq goes
    /// on to the next host by itself only where one refuses.)
    ///
    /// - Parameter first: the number of the host to begin with; the one that answered afterwards.
    /// - Throws: `.unavailable` where nobody answers within `limit`, or the server refuses.
    static func open(
        _ url: PostgresURL, _ library: LibPQ, name: String, from first: inout Int, within limit: Duration, time: any TimeSource
    ) throws(StorageError) -> PostgresConnection {
        let end = time.monotonic() + limit
        let count = url.addresses.count
        var reasons: [String] = []
        for number in 0..<count {
            let host = (first + number) % count
            let share = end.since(time.monotonic()) / (count - number)
            do throws(StorageError) {
                let connection = try PostgresConnection(url.addresses[host], library, name: name, within: share, time: time)
                first = host
                return connection
            } catch {
                if case .unavailable(let reason) = error { reasons.append(reason) } else { throw error }
            }
        }
        throw .unavailable(reason: reasons.joined(separator: "; "))
    }

    private init(_ address: Secret, _ library: LibPQ, name: String, within limit: Duration, time: any TimeSource) throws(StorageError) {
        self.library = library
        self.time = time
        madeAt = time.monotonic()
        lastUsed = madeAt
        guard let handle = Self.start(address, library, name) else { throw .unavailable(reason: "Postgres: no memory for a connection") }
        self.handle = handle
        let end = time.monotonic() + limit
        var state = GATE_POLLING_WRITING
        while state != GATE_POLLING_OK {
            guard state != GATE_POLLING_FAILED, library.functions.pointee.status(handle) != Int32(GATE_CONNECTION_BAD)
            else { throw .unavailable(reason: Self.message(library, handle)) }
            let events = state == GATE_POLLING_READING ? POLLIN : POLLOUT
            guard Self.poll(library.functions.pointee.socket(handle), Int16(events), until: end, time) else {
                throw .unavailable(reason: "Postgres: no connection to \(host) within \(limit.wholeNanoseconds / 1_000_000) ms")
            }
            state = Int(library.functions.pointee.connectPoll(handle))
        }
        _ = library.functions.pointee.setnonblocking(handle, 1)
        _ = library.functions.pointee.setNoticeProcessor(handle, { _, _ in }, nil)
    }

    deinit { library.functions.pointee.finish(handle) }

    private static func start(_ address: Secret, _ library: LibPQ, _ name: String) -> OpaquePointer? {
        // What stands before the address is what it may change, what stands behind it is what it may not.
        let settings: [(String, [UInt8])] = [
            ("target_session_attrs", Array("read-write".utf8)),
            ("keepalives_idle", Array("10".utf8)), ("keepalives_interval", Array("5".utf8)), ("keepalives_count", Array("3".utf8)),
            ("tcp_user_timeout", Array("10000".utf8)), ("dbname", address.exposed), ("client_encoding", Array("UTF8".utf8)),
            ("application_name", Array(name.utf8)),
        ]
        let keywords: [UnsafeMutablePointer<CChar>?] = settings.map { strdup($0.0) } + [nil]
        let values: [UnsafeMutablePointer<CChar>?] = settings.map { strdup(String(decoding: $0.1, as: UTF8.self)) } + [nil]
        defer {
            for copy in keywords { free(copy) }
            for case let copy? in values {
                explicit_bzero(copy, strlen(copy))
                free(copy)
            }
        }
        return library.functions.pointee.connectStartParams(keywords.map { UnsafePointer($0) }, values.map { UnsafePointer($0) }, 1)
    }

    /// What libpq says of the connection, on one line. It names hosts and users, and no password.
    private static func message(_ library: LibPQ, _ handle: OpaquePointer) -> String {
        let text = library.functions.pointee.errorMessage(handle).map { String(cString: $0) } ?? ""
        let words = text.split { $0.isNewline || $0 == "\t" || $0 == " " }.joined(separator: " ")
        return "Postgres: \(words.isEmpty ? "the connection was lost" : words)"
    }

    /// The number of the server's process, as it was told when the connection was made: a pooler tells one of its own.
    var toldProcess: Int64 { Int64(functions.backendPID(handle)) }

    var serverVersion: Int { Int(functions.serverVersion(handle)) }

    /// Whether a transaction is open and sound.
    var inTransaction: Bool { functions.transactionStatus(handle) == Int32(GATE_IN_TRANSACTION) }

    /// Whether nothing is open.
    var isIdle: Bool { functions.transactionStatus(handle) == 0 }

    var socket: Int32 { functions.socket(handle) }
}

extension PostgresConnection {
    /// Runs one or several statements without parameters, by the simple protocol.
    /// - Returns: the outcome of each that succeeded.
    @discardableResult
    func run(script: String, until end: MonotonicInstant) throws(PostgresFailure) -> [PostgresResult] {
        guard functions.sendQuery(handle, script) == 1 else { throw lost() }
        return try results(until: end)
    }

    /// Asks whether the server is there.
    func probe(until end: MonotonicInstant) throws(PostgresFailure) {
        let usual = silenceLimit
        silenceLimit = .zero
        defer { silenceLimit = usual }
        try run(script: "SELECT 1", until: end)
    }

    /// Awaits the end of what was sent.
    /// - Throws: the first failure among the results, or the loss of the connection, which is broken then.
    func results(until end: MonotonicInstant, ofPipeline isPipeline: Bool = false) throws(PostgresFailure) -> [PostgresResult] {
        lastUsed = time.monotonic()
        try flush(until: end)
        var results: [PostgresResult] = []
        var failure: PostgresFailure?
        var ends = 0
        while true {
            while functions.isBusy(handle) == 1 {
                guard Self.poll(socket, Int16(POLLIN), until: end, time) else { throw timedOut() }
                guard functions.consumeInput(handle) == 1 else { throw failure ?? lost() }
            }
            guard let pointer = functions.getResult(handle) else {
                // In a pipeline, the end of one command's results: there are five commands at most.
                ends += 1
                guard isPipeline, functions.status(handle) != Int32(GATE_CONNECTION_BAD) else { break }
                guard ends <= 16 else { throw lost() }
                continue
            }
            let result = PostgresResult(pointer, library)
            if result.endsPipeline { break }
            if var found = result.failure {
                found.preceding = results.count
                failure = failure ?? found
            } else {
                results.append(result)
            }
        }
        if functions.status(handle) == Int32(GATE_CONNECTION_BAD) { isBroken = true }
        guard let failure else {
            guard !isPipeline || !isBroken else { throw lost() }
            return results
        }
        if failure.isLoss { isBroken = true }
        throw failure.code == nil ? lost() : failure
    }

    private func flush(until end: MonotonicInstant) throws(PostgresFailure) {
        while true {
            switch functions.flush(handle) {
            case 0: return
            case 1:
                guard Self.poll(socket, Int16(POLLIN | POLLOUT), until: end, time) else { throw timedOut() }
                guard functions.consumeInput(handle) == 1 else { throw lost() }
            default: throw lost()
            }
        }
    }

    func lost() -> PostgresFailure {
        isBroken = true
        return PostgresFailure(.unavailable(reason: Self.message(library, handle)))
    }

    /// The server hangs, or the network does, or there was no time left to wait for it.
    private func timedOut() -> PostgresFailure {
        isBroken = true
        isSilent = time.monotonic().since(lastUsed) >= silenceLimit
        return PostgresFailure(code: "57014", .unavailable(reason: "Postgres did not answer in time"))
    }

    /// What waits of notifications, after what has arrived is read.
    /// - Throws: where the connection is lost.
    func notifications() throws(PostgresFailure) -> [String] {
        guard functions.consumeInput(handle) == 1 else { throw lost() }
        var payloads: [String] = []
        while let notification = functions.notifies(handle) {
            if let extra = notification.pointee.extra { payloads.append(String(cString: extra)) }
            functions.freemem(notification)
        }
        return payloads
    }

    /// Waits until the socket is ready for one of `events`.
    /// - Returns: whether it is; `false` once `end` has come.
    static func poll(_ socket: Int32, _ events: Int16, until end: MonotonicInstant, _ time: any TimeSource) -> Bool {
        var entry = pollfd(fd: socket, events: events, revents: 0)
        while true {
            let rest = end.since(time.monotonic()).wholeNanoseconds
            let ready = Glibc.poll(&entry, 1, Int32(clamping: (rest + 999_999) / 1_000_000))
            if ready > 0 { return true }
            guard ready == 0 || errno == EINTR else { return true }
            if ready == 0, end <= time.monotonic() { return false }
        }
    }
}
