import GateCore
import GatePostgres
import GateSQL
import GateTesting
import Glibc
import Synchronization
import Testing

/// What was written and how it was answered: each entry is two rows, which belong together.
private final class Ledger: Sendable {
    struct State {
        var answered: Set<Int64> = []
        var refused: [Int64: any Error] = [:]
        var slowest = Duration.zero
    }

    let state = Mutex(State())
    private let next = Atomic<Int64>(0)
    private let isOver = Atomic(false)

    static func makeSchema(_ database: PostgresDatabase) async throws {
        try await database.changeSchema {
            try $0.executeScript("CREATE TABLE ledger (id BIGINT NOT NULL, half BIGINT NOT NULL, PRIMARY KEY (id, half))")
        }
    }

    var answered: Int { state.withLock { $0.answered.count } }
    var refused: Int { state.withLock { $0.refused.count } }

    func write(to database: PostgresDatabase) async {
        let id = next.wrappingAdd(1, ordering: .relaxed).newValue
        let start = SystemTime().monotonic()
        do {
            try await database.write { connection in
                try connection.execute("INSERT INTO ledger (id, half) VALUES (?1, 1)", [id])
                try connection.execute("INSERT INTO ledger (id, half) VALUES (?1, 2)", [id])
            }
            state.withLock { _ = $0.answered.insert(id) }
        } catch {
            state.withLock { $0.refused[id] = error }
        }
        let took = SystemTime().monotonic().since(start)
        state.withLock { $0.slowest = max($0.slowest, took) }
    }

    /// Writes from many tasks while `body` runs.
    func writing(to database: PostgresDatabase, tasks: Int = 16, _ body: () async throws -> Void) async throws {
        isOver.store(false, ordering: .releasing)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<tasks {
                group.addTask {
                    while !self.isOver.load(ordering: .acquiring) {
                        let before = self.refused
                        await self.write(to: database)
                        // A client whose request was refused comes back a moment later.
                        if self.refused > before { try await Task.sleep(for: .milliseconds(5)) }
                    }
                }
            }
            defer { isOver.store(true, ordering: .releasing) }
            try await body()
        }
    }

    /// Everything answered is there; everything else wholly or not at all.
    func check(_ database: PostgresDatabase) async throws {
        let halves = try await database.read { connection in
            try connection.rows("SELECT id, count(*) FROM ledger GROUP BY id") { row throws(StorageError) in
                (try row.integer(0), try row.integer(1))
            }
        }
        #expect(halves.allSatisfy { $0.1 == 2 })
        let found = Set(halves.map(\.0))
        let answered = state.withLock { $0.answered }
        #expect(answered.isSubset(of: found), "lost: \(answered.subtracting(found))")
    }
}

@Suite("Postgres fails", .serialized)
struct FaultTests {
    private static var quick: PostgresOptions {
        var options = PostgresOptions()
        options.statementTime = .milliseconds(700)
        options.lockTime = .milliseconds(300)
        options.transactionTime = .seconds(2)
        options.queueTime = .seconds(2)
        options.connectTime = .seconds(1)
        return options
    }
    /// What nothing may take longer than: the queue, the transaction, a second of patience for each, and the machine's other work.
    private static let limit = Duration.seconds(8)

    @Test(
        "CHECKLIST 45, 46: killed or restarted under load, it loses nothing that was answered, and is used again by itself",
        arguments: ["kill", "stop"])
    func restart(_ how: String) async throws {
        let server = PostgresServer()
        let name = server.newDatabase()
        let database = try await server.open(server.url(name), options: Self.quick)
        try await Ledger.makeSchema(database)
        let ledger = Ledger()
        try await ledger.writing(to: database) {
            try await eventually { ledger.answered > 50 }
            server.command(how)
            try await eventually { ledger.refused > 50 }
            guard case .failing = await database.health() else {
                Issue.record("healthy without a server")
                return
            }
            #expect(server.command("start") == "done")
            let before = ledger.answered
            try await eventually(within: .seconds(5)) { ledger.answered > before + 50 }
        }
        try await ledger.check(database)
        #expect(ledger.state.withLock { $0.slowest } < Self.limit)
        try await eventually { if case .ok = await database.health() { true } else { false } }
        for case let error? in ledger.state.withLock({ $0.refused.values.map { $0 as? StorageError } }) {
            guard case .unavailable = error else {
                Issue.record("not unavailable: \(error)")
                continue
            }
        }
        await database.close()
    }

    @Test("it hangs: everybody is answered within the limits, and it is used again when it goes on")
    func hanging() async throws {
        let server = PostgresServer()
        let name = server.newDatabase()
        let database = try await server.open(server.url(name), options: Self.quick)
        try await Ledger.makeSchema(database)
        let ledger = Ledger()
        try await ledger.writing(to: database) {
            try await eventually { ledger.answered > 50 }
            server.command("pause")
            try await eventually(within: .seconds(20)) { ledger.refused > 50 }
            server.command("resume")
            let before = ledger.answered
            try await eventually { ledger.answered > before + 50 }
        }
        try await ledger.check(database)
        #expect(ledger.state.withLock { $0.slowest } < Self.limit)
        await database.close()
    }

    @Test(
        "CHECKLIST 45, 46: the primary hangs without a word and a standby takes over: nothing that was answered is lost, nobody waits for each connection"
    )
    func failover() async throws {
        let server = PostgresServer()
        let name = server.newDatabase()
        let standby = try #require(Int(server.command("standby")))
        let url = try PostgresURL(
            "postgres://gatehouse:keep-this-unseen@127.0.0.1:\(server.port),127.0.0.1:\(standby)/\(name)")
        let database = try await server.open(url, options: Self.quick)
        try await Ledger.makeSchema(database)
        let ledger = Ledger()
        try await ledger.writing(to: database) {
            try await eventually { ledger.answered > 200 }
            server.command("pause")
            let paused = SystemTime().monotonic()
            #expect(server.command("promote \(standby)") == "t")
            let before = ledger.answered
            try await eventually { ledger.answered > before + 200 }
            #expect(SystemTime().monotonic().since(paused) < Self.limit)
        }
        try await ledger.check(database)
        #expect(ledger.state.withLock { $0.slowest } < Self.limit)
        await database.close()
    }

    @Test("connections that are cut in the middle of transactions are made again, and nothing is done by halves")
    func cut() async throws {
        let server = PostgresServer.shared
        try await server.withDatabase { database, name in
            try await Ledger.makeSchema(database)
            let ledger = Ledger()
            try await ledger.writing(to: database) {
                for round in 1...10 {
                    server.command(
                        "sql postgres SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '\(name)'")
                    try await eventually { ledger.answered > round * 20 }
                }
            }
            try await ledger.check(database)
        }
    }

    @Test("with fewer connections than it was told, it makes do; with none, it says so and recovers")
    func outOfConnections() async throws {
        let server = PostgresServer()
        let name = server.newDatabase()
        server.command("sql postgres ALTER ROLE gatehouse CONNECTION LIMIT 2")
        let database = try await server.open(server.url(name), options: Self.quick)
        try await Ledger.makeSchema(database)
        let ledger = Ledger()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<100 { group.addTask { await ledger.write(to: database) } }
        }
        #expect(ledger.answered == 100)
        server.command("sql postgres ALTER ROLE gatehouse CONNECTION LIMIT 0")
        server.command("sql postgres SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '\(name)'")
        try await eventually {
            await ledger.write(to: database)
            return ledger.refused > 0
        }
        server.command("sql postgres ALTER ROLE gatehouse CONNECTION LIMIT -1")
        try await eventually(within: .seconds(5)) {
            await ledger.write(to: database)
            return ledger.answered > 100
        }
        try await ledger.check(database)
        await database.close()
    }

    @Test("a statement that takes too long, and a lock that is not let go of, are given up")
    func limits() async throws {
        try await PostgresServer.shared.withDatabase(options: Self.quick) { database, _ in
            try await Ledger.makeSchema(database)
            try await database.write { _ = try $0.execute("INSERT INTO ledger (id, half) VALUES (1, 0)") }
            await #expect {
                try await database.read { _ = try $0.row("SELECT pg_sleep(30)::text") { _ throws(StorageError) in true } }
            } throws: { error in
                if case StorageError.unavailable = error { true } else { false }
            }
            let held = GateCore.Semaphore()
            let release = GateCore.Semaphore()
            let holder = Task {
                try await database.write { connection in
                    try connection.execute("UPDATE ledger SET half = half WHERE id = 1")
                    held.signal()
                    release.wait()
                }
            }
            try await wait(for: held)
            await #expect {
                try await database.write { _ = try $0.execute("UPDATE ledger SET half = half WHERE id = 1") }
            } throws: { error in
                if case StorageError.busy = error { true } else { false }
            }
            release.signal()
            try await holder.value
            try await database.write { _ = try $0.execute("UPDATE ledger SET half = half WHERE id = 1") }
        }
    }

    /// A task must not block on it.
    private func wait(for semaphore: GateCore.Semaphore) async throws {
        await withCheckedContinuation { continuation in
            _ = DatabaseThread(name: "test") {
                semaphore.wait()
                continuation.resume()
            }
        }
    }

    @Test(
        "who cannot be let in is told why, without the password",
        arguments: [
            ("postgres://gatehouse:wrong-hidden@127.0.0.1:PORT/postgres", "password authentication failed"),
            ("postgres://gatehouse:keep-this-unseen@127.0.0.1:PORT/nowhere", "does not exist"),
            ("postgres://gatehouse:keep-this-unseen@127.0.0.1:1/postgres", "refused"),
            ("postgres://gatehouse:keep-this-unseen@127.0.0.1:PORT/postgres?sslmode=require", "SSL"),
        ])
    func refusal(_ address: String, _ words: String) async throws {
        let server = PostgresServer.shared
        let url = try PostgresURL(
            String(address.split(separator: "PORT", omittingEmptySubsequences: false).joined(separator: "\(server.port)")))
        await #expect {
            _ = try await server.open(url)
        } throws: { error in
            guard case StorageError.unavailable(let reason) = error else { return false }
            return reason.contains(words) && !reason.contains("hidden") && !reason.contains("unseen")
        }
    }

    @Test("closing lets what waits finish, may be repeated, and refuses what comes later")
    func closing() async throws {
        let server = PostgresServer.shared
        let name = server.newDatabase()
        let database = try await server.open(server.url(name))
        try await Ledger.makeSchema(database)
        let ledger = Ledger()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { await ledger.write(to: database) } }
        }
        async let first: Void = database.close()
        async let second: Void = database.close()
        _ = await (first, second)
        #expect(ledger.answered == 50)
        await #expect(throws: StorageError.closed) { try await database.write { _ in } }
        await #expect(throws: StorageError.closed) { try await database.read { _ in } }
        #expect(await database.health() == .failing(.closed))
    }
}
