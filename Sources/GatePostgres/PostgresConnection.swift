import CPostgres
import GateCore
import GateSQL
import Glibc

/// One connection. Confined to its thread, which waits in poll(2) for the server, never longer than it is told.
final class PostgresConnection {
    private let library: LibPQ
    private let handle: OpaquePointer
    private let time: any TimeSource
    /// Where statements are prepared under names: those that were.
    private var statements: [StatementKey: String] = [:]
    /// By the address of the source's text.
    private var texts: [UInt: StatementText] = [:]
    /// After what it may not get over: it must be closed then.
    private(set) var isBroken = false
    private(set) var lastUsed: MonotonicInstant

    private struct StatementKey: Hashable {
        var text: UInt
        var signature: UInt64
    }

    /// A statement as Postgres wants it, with its end.
    private struct StatementText {
        var bytes: [CChar]
        var parameters: Int
        /// FNV-1a, 64 bits (RFC 9923). Behind a pooler that does not keep clients apart, two statements of one name must be the same.
        var hash: UInt64
    }

    private var functions: gate_libpq { @inline(__always) get { library.functions.pointee } }

    /// Connects.
    ///
    /// - Throws: `.unavailable` where nobody answers within `limit`, or the server refuses.
    init(_ url: PostgresURL, _ library: LibPQ, name: String, within limit: Duration, time: any TimeSource) throws(StorageError) {
        self.library = library
        self.time = time
        lastUsed = time.monotonic()
        guard let handle = Self.start(url, library, name) else { throw .unavailable(reason: "Postgres: no memory for a connection") }
        self.handle = handle
        let end = time.monotonic() + limit
        var state = GATE_POLLING_WRITING
        while state != GATE_POLLING_OK {
            guard state != GATE_POLLING_FAILED, library.functions.pointee.status(handle) != Int32(GATE_CONNECTION_BAD)
            else { throw .unavailable(reason: Self.message(library, handle)) }
            let events = state == GATE_POLLING_READING ? POLLIN : POLLOUT
            guard Self.poll(library.functions.pointee.socket(handle), Int16(events), until: end, time) else {
                throw .unavailable(reason: "Postgres: no connection within \(limit)")
            }
            state = Int(library.functions.pointee.connectPoll(handle))
        }
        _ = library.functions.pointee.setnonblocking(handle, 1)
        _ = library.functions.pointee.setNoticeProcessor(handle, { _, _ in }, nil)
    }

    deinit { library.functions.pointee.finish(handle) }

    private static func start(_ url: PostgresURL, _ library: LibPQ, _ name: String) -> OpaquePointer? {
        // What stands before the address is what it may change, what stands behind it is what it may not.
        let settings: [(String, [UInt8])] = [
            ("target_session_attrs", Array("read-write".utf8)),
            ("keepalives_idle", Array("10".utf8)), ("keepalives_interval", Array("5".utf8)), ("keepalives_count", Array("3".utf8)),
            ("tcp_user_timeout", Array("10000".utf8)), ("dbname", url.address.exposed), ("client_encoding", Array("UTF8".utf8)),
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

    /// Runs a statement, prepared under a name where `named` says so: then it is parsed once for this connection.
    func run(
        _ sql: StaticString, _ parameters: [any SQLBindable], named: Bool, until end: MonotonicInstant
    ) throws(PostgresFailure) -> PostgresResult {
        let text = text(of: sql)
        guard text.parameters == parameters.count else {
            throw PostgresFailure(
                code: "08P01", .misuse(reason: "\(parameters.count) parameters for a statement with \(text.parameters): \(sql)"))
        }
        let encoded = EncodedParameters(parameters)
        let results: [PostgresResult]
        if named, let signature = encoded.signature {
            let name = try prepared(sql, text, encoded, signature, until: end)
            let sent = encoded.withPointers { values, lengths, formats in
                functions.sendQueryPrepared(handle, name, Int32(encoded.count), values, lengths, formats, 1)
            }
            guard sent == 1 else { throw lost() }
            results = try self.results(until: end)
        } else {
            let sent = encoded.withPointers { values, lengths, formats in
                functions.sendQueryParams(handle, text.bytes, Int32(encoded.count), encoded.types, values, lengths, formats, 1)
            }
            guard sent == 1 else { throw lost() }
            results = try self.results(until: end)
        }
        guard let result = results.last else { throw PostgresFailure(code: "42601", .misuse(reason: "an empty statement")) }
        return result
    }

    private func text(of sql: StaticString) -> StatementText {
        let address = UInt(bitPattern: sql.utf8Start)
        if let text = texts[address] { return text }
        let syntax = ParameterSyntax(UnsafeBufferPointer(start: sql.utf8Start, count: sql.utf8CodeUnitCount))
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in syntax.text { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        let text = StatementText(bytes: syntax.text.map { CChar(bitPattern: $0) } + [0], parameters: syntax.count, hash: hash)
        texts[address] = text
        return text
    }

    private func prepared(
        _ sql: StaticString, _ text: StatementText, _ parameters: EncodedParameters, _ signature: UInt64, until end: MonotonicInstant
    ) throws(PostgresFailure) -> String {
        let key = StatementKey(text: UInt(bitPattern: sql.utf8Start), signature: signature)
        if let name = statements[key] { return name }
        let name = "gate_\(String(text.hash, radix: 16))_\(String(signature, radix: 16))"
        guard functions.sendPrepare(handle, name, text.bytes, Int32(parameters.count), parameters.types) == 1 else { throw lost() }
        do {
            _ = try results(until: end)
        } catch  where error.code == "42P05" {
            // A pooler gave us a server on which somebody else of us prepared it. The transaction is spoilt all the same.
            throw PostgresFailure(code: "26000", error.error)
        }
        statements[key] = name
        return name
    }

    /// Awaits the end of what was sent.
    /// - Throws: the first failure among the results, or the loss of the connection, which is broken then.
    private func results(until end: MonotonicInstant) throws(PostgresFailure) -> [PostgresResult] {
        lastUsed = time.monotonic()
        try flush(until: end)
        var results: [PostgresResult] = []
        var failure: PostgresFailure?
        while true {
            while functions.isBusy(handle) == 1 {
                guard Self.poll(socket, Int16(POLLIN), until: end, time) else { throw timedOut() }
                guard functions.consumeInput(handle) == 1 else { throw failure ?? lost() }
            }
            guard let pointer = functions.getResult(handle) else { break }
            let result = PostgresResult(pointer, library)
            if let found = result.failure { failure = failure ?? found } else { results.append(result) }
        }
        if functions.status(handle) == Int32(GATE_CONNECTION_BAD) { isBroken = true }
        guard let failure else { return results }
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

    private func lost() -> PostgresFailure {
        isBroken = true
        return PostgresFailure(.unavailable(reason: Self.message(library, handle)))
    }

    /// The server was given as long by `statement_timeout`, and less: it hangs, or the network does.
    private func timedOut() -> PostgresFailure {
        isBroken = true
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
