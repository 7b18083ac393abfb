import GateCore
import GatePostgres
import GateSQL
import GateTesting
import Synchronization
import Testing

@Suite("Listening")
struct ListenerTests {
    private final class Heard: Sendable {
        private let all = Mutex<[NotificationEvent]>([])
        var events: [NotificationEvent] { all.withLock { $0 } }
        func add(_ event: NotificationEvent) { all.withLock { $0.append(event) } }
        var words: [String] { events.compactMap { if case .notification(let text) = $0 { text } else { nil } } }
        var beginnings: Int { events.filter { if case .began = $0 { true } else { false } }.count }
    }

    @Test("what is committed is heard, once and in order; what is undone is not")
    func order() async throws {
        try await PostgresServer.shared.withDatabase { database, _ in
            let heard = Heard()
            let listening = Task { await database.listen("news") { heard.add($0) } }
            try await eventually { heard.beginnings == 1 }
            struct Undone: Error {}
            for number in 0..<20 {
                try await database.write {
                    _ = try $0.row("SELECT pg_notify('news', ?1)", ["\(number)"]) { _ throws(StorageError) in true }
                }
                _ = try? await database.write { connection in
                    _ = try connection.row("SELECT pg_notify('news', 'undone')") { _ throws(StorageError) in true }
                    throw Undone()
                }
            }
            try await eventually { heard.words.count >= 20 }
            #expect(heard.words == (0..<20).map { "\($0)" })
            listening.cancel()
            await listening.value
            #expect(heard.events.last == .lost)
        }
    }

    @Test("each answer vouches for what had been committed when it was asked for")
    func currency() async throws {
        try await PostgresServer.shared.withDatabase { database, _ in
            let heard = Heard()
            let listening = Task { await database.listen("news") { heard.add($0) } }
            try await eventually { heard.beginnings == 1 }
            for number in 0..<10 {
                try await database.write {
                    _ = try $0.row("SELECT pg_notify('news', ?1)", ["\(number)"]) { _ throws(StorageError) in true }
                }
                let committed = SystemTime().monotonic()
                try await eventually {
                    heard.events.contains { if case .current(let moment) = $0 { moment >= committed } else { false } }
                }
                #expect(heard.words.contains("\(number)"))
            }
            listening.cancel()
            await listening.value
        }
    }

    @Test("a lost connection is told, and made again")
    func loss() async throws {
        try await PostgresServer.shared.withDatabase { database, name in
            let heard = Heard()
            let listening = Task { await database.listen("news") { heard.add($0) } }
            try await eventually { heard.beginnings == 1 }
            PostgresServer.shared.command(
                "sql postgres SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(name)'")
            try await eventually { heard.beginnings == 2 }
            #expect(heard.events.contains(.lost))
            listening.cancel()
            await listening.value
        }
    }
}
