import GateCore
import GateSQL
import Testing

extension SQLDatabaseContract {
    private struct Noon: TimeSource {
        func now() -> Timestamp { Timestamp(milliseconds: 43_200_000) }
        func monotonic() -> MonotonicInstant { MonotonicInstant(nanoseconds: 0) }
    }

    private static let steps = [
        Migration(
            version: 1, name: "users", up: "CREATE TABLE users (id BIGINT PRIMARY KEY); CREATE TABLE seen (id BIGINT)",
            down: "DROP TABLE seen; DROP TABLE users"),
        Migration(version: 2, name: "names", up: "ALTER TABLE users ADD COLUMN name TEXT", down: "ALTER TABLE users DROP COLUMN name"),
        Migration(version: 3, name: "keys", up: "CREATE TABLE keys (id BIGINT)", down: "DROP TABLE keys"),
    ]

    static let migrations: [Scenario] = [
        Scenario("up applies what is pending, once") { subject in
            let some = try MigrationPlan(Array(steps.prefix(2)))
            let all = try MigrationPlan(steps)
            #expect(try await some.up(subject.database, time: Noon()) == Array(steps.prefix(2)))
            #expect(try await all.up(subject.database, time: Noon()) == [steps[2]])
            #expect(try await all.up(subject.database, time: Noon()) == [])
            try await subject.database.write { _ = try $0.execute("INSERT INTO users (id, name) VALUES (1, 'a')") }
        },
        Scenario("down takes exactly the newest step back") { subject in
            let plan = try MigrationPlan(steps)
            _ = try await plan.up(subject.database, time: Noon())
            #expect(try await plan.down(subject.database) == steps[2])
            #expect(try await plan.down(subject.database) == steps[1])
            #expect(try await plan.status(subject.database).map(\.state) == [.applied, .pending, .pending])
            #expect(try await plan.up(subject.database, time: Noon()) == Array(steps[1...]))
            for step in steps.reversed() { #expect(try await plan.down(subject.database) == step) }
            #expect(try await plan.down(subject.database) == nil)
        },
        Scenario("status tells applied, pending, altered and unknown steps") { subject in
            _ = try await MigrationPlan([steps[0], steps[2]]).up(subject.database, time: Noon())
            let edited = Migration(version: 1, name: "users", up: "CREATE TABLE users (id TEXT)", down: "")
            let status = try await MigrationPlan([edited, steps[1]]).status(subject.database)
            #expect(
                status == [
                    MigrationStatus(version: 1, name: "users", appliedAt: Noon().now(), state: .altered),
                    MigrationStatus(version: 2, name: "names", appliedAt: nil, state: .pending),
                    MigrationStatus(version: 3, name: "keys", appliedAt: Noon().now(), state: .unknown),
                ])
        },
        Scenario("a database newer than the program is refused, naming both versions") { subject in
            _ = try await MigrationPlan(steps).up(subject.database, time: Noon())
            let older = try MigrationPlan(Array(steps.prefix(2)))
            try await expectSchemaError(containing: ["version 3", "beyond 2"]) { _ = try await older.up(subject.database, time: Noon()) }
            try await expectSchemaError(containing: ["version 3", "beyond 2"]) { _ = try await older.down(subject.database) }
        },
        Scenario("an applied step that was altered is refused, and nothing is applied") { subject in
            _ = try await MigrationPlan([steps[0]]).up(subject.database, time: Noon())
            let edited = Migration(version: 1, name: "users", up: steps[0].up + " ", down: steps[0].down)
            let plan = try MigrationPlan([edited, steps[1]])
            try await expectSchemaError(containing: ["migration 1", "users"]) { _ = try await plan.up(subject.database, time: Noon()) }
            #expect(try await plan.status(subject.database).map(\.state) == [.altered, .pending])
        },
        Scenario("a step that was left out is refused") { subject in
            _ = try await MigrationPlan([steps[0], steps[2]]).up(subject.database, time: Noon())
            let plan = try MigrationPlan(steps)
            try await expectSchemaError(containing: ["migration 2", "never applied"]) {
                _ = try await plan.up(subject.database, time: Noon())
            }
        },
        Scenario("a step that fails leaves nothing of itself, and keeps those before it") { subject in
            let faulty = Migration(version: 2, name: "faulty", up: "CREATE TABLE half (id BIGINT); CREATE TABEL rest", down: "")
            await #expect(throws: StorageError.self) {
                try await MigrationPlan([steps[0], faulty]).up(subject.database, time: Noon())
            }
            let plan = try MigrationPlan(steps)
            #expect(try await plan.status(subject.database).map(\.state) == [.applied, .pending, .pending])
            try await subject.database.changeSchema { try $0.executeScript("CREATE TABLE half (id BIGINT)") }
            #expect(try await plan.up(subject.database, time: Noon()) == Array(steps[1...]))
        },
        Scenario("several programs that start at once apply each step once") { subject in
            let plan = try MigrationPlan(steps)
            let applied = try await withThrowingTaskGroup(of: [Migration].self) { group in
                for _ in 0..<8 { group.addTask { try await plan.up(subject.database, time: Noon()) } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(applied.sorted { $0.version < $1.version } == steps)
        },
    ]

    private static func expectSchemaError(containing words: [String], _ body: () async throws -> Void) async throws {
        await #expect {
            try await body()
        } throws: { error in
            guard case StorageError.schema(let reason) = error else { return false }
            return words.allSatisfy { reason.contains($0) }
        }
    }
}
