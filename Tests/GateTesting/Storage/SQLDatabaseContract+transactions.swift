import GateCore
import GateSQL
import Synchronization
import Testing

extension SQLDatabaseContract {
    /// What a body throws that is no storage error.
    private struct Refusal: Error, Equatable {}

    static let transactions: [Scenario] = [
        Scenario("a read sees what a write has answered") { subject in
            try await schema(subject)
            for id in 1...20 {
                try await subject.database.write { try $0.insertAccount(id) }
                let found = try await subject.database.read { try $0.accounts() }
                #expect(found == (1...Int64(id)).map { $0 })
            }
        },
        Scenario("what was answered is there after closing and opening") { subject in
            try await schema(subject)
            try await subject.database.write { try $0.insertAccount(1) }
            let again = try await subject.reopen()
            #expect(try await again.read { try $0.accounts() } == [1])
        },
        Scenario("a body sees its own changes, and its result is returned") { subject in
            try await schema(subject)
            let result = try await subject.database.write { connection in
                try connection.insertAccount(7)
                return try connection.accounts()
            }
            #expect(result == [7])
        },
        Scenario("a body that throws leaves nothing, and its error comes back") { subject in
            try await schema(subject)
            await #expect(throws: Refusal()) {
                try await subject.database.write { connection in
                    try connection.insertAccount(1)
                    throw Refusal()
                }
            }
            #expect(try await subject.database.read { try $0.accounts() } == [])
        },
        Scenario("a body that catches an error keeps the rest of its changes") { subject in
            try await schema(subject)
            try await subject.database.write { connection in
                try connection.insertAccount(1, "one@example.test")
                #expect(throws: StorageError.uniqueViolation(constraint: "account.address")) {
                    try connection.insertAccount(2, "one@example.test")
                }
                try connection.insertAccount(3)
            }
            #expect(try await subject.database.read { try $0.accounts() } == [1, 3])
        },
        Scenario("of many writers at once each is answered, and those that throw take no other with them") { subject in
            try await schema(subject)
            let outcomes = await withTaskGroup(of: (Int, Bool).self) { group in
                for id in 1...300 {
                    group.addTask {
                        do {
                            try await subject.database.write { connection in
                                try connection.insertAccount(id)
                                if id.isMultiple(of: 3) { throw Refusal() }
                            }
                            return (id, true)
                        } catch {
                            return (id, false)
                        }
                    }
                }
                return await group.reduce(into: [(Int, Bool)]()) { $0.append($1) }
            }
            #expect(outcomes.count == 300)
            #expect(outcomes.allSatisfy { $0.1 == !$0.0.isMultiple(of: 3) })
            let expected = (1...300).filter { !$0.isMultiple(of: 3) }.map(Int64.init)
            #expect(try await subject.database.read { try $0.accounts() } == expected)
        },
        Scenario("increments from many tasks are all counted") { subject in
            try await schema(subject)
            try await subject.database.write { try $0.insertAccount(1) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<200 {
                    group.addTask {
                        _ = try await subject.database.write { connection in
                            let balance = try connection.row("SELECT balance FROM account WHERE id = 1") { row throws(StorageError) in
                                try row.integer(0)
                            }
                            try connection.execute("UPDATE account SET balance = ?1 WHERE id = 1", [(balance ?? 0) + 1])
                        }
                    }
                }
                try await group.waitForAll()
            }
            let balance = try await subject.database.read {
                try $0.row("SELECT balance FROM account") { row throws(StorageError) in try row.integer(0) }
            }
            #expect(balance == 200)
        },
        Scenario("a read sees one state, whatever is written meanwhile") { subject in
            try await schema(subject)
            try await subject.database.write { connection in
                try connection.insertAccount(1)
                try connection.insertAccount(2)
                try connection.execute("UPDATE account SET balance = 100 WHERE id = 1")
            }
            let writing = Task {
                for _ in 0..<100 {
                    _ = try await subject.database.write { connection in
                        try connection.execute("UPDATE account SET balance = 100 - balance")
                    }
                }
            }
            for _ in 0..<100 {
                let (first, second) = try await subject.database.read { connection in
                    let balance = { (id: Int) throws -> Int64? in
                        try connection.row("SELECT balance FROM account WHERE id = ?1", [id]) { row throws(StorageError) in
                            try row.integer(0)
                        }
                    }
                    return (try balance(1), try balance(2))
                }
                #expect((first ?? 0) + (second ?? 0) == 100)
            }
            try await writing.value
        },
        Scenario("a read cannot write") { subject in
            try await schema(subject)
            await #expect(throws: StorageError.self) { try await subject.database.read { try $0.insertAccount(1) } }
            #expect(try await subject.database.read { try $0.accounts() } == [])
        },
        Scenario("a cancelled task gets its answer") { subject in
            try await schema(subject)
            let tasks = (1...50).map { id in Task { try await subject.database.write { try $0.insertAccount(id) } } }
            for task in tasks { task.cancel() }
            var answered: [Int64] = []
            for (index, task) in tasks.enumerated() where (try? await task.value) != nil { answered.append(Int64(index + 1)) }
            #expect(try await subject.database.read { try $0.accounts() } == answered)
        },
    ]
}
