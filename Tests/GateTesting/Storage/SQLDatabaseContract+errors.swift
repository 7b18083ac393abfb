import GateCore
import GateSQL
import Testing

extension SQLDatabaseContract {
    static let errors: [Scenario] = [
        Scenario("a value taken already is a unique violation that names the column") { subject in
            try await schema(subject)
            try await subject.database.write { try $0.insertAccount(1, "one") }
            await #expect(throws: StorageError.uniqueViolation(constraint: "account.address")) {
                try await subject.database.write { try $0.insertAccount(2, "one") }
            }
            await #expect(throws: StorageError.uniqueViolation(constraint: "account.id")) {
                try await subject.database.write { try $0.insertAccount(1, "two") }
            }
        },
        Scenario("a unique violation over two columns names both") { subject in
            try await schema(subject)
            try await subject.database.write { connection in
                try connection.insertAccount(1)
                try connection.execute("INSERT INTO note (author, number) VALUES (1, 1)")
            }
            await #expect(throws: StorageError.uniqueViolation(constraint: "note.author,note.number")) {
                try await subject.database.write { try $0.execute("INSERT INTO note (author, number) VALUES (1, 1)") }
            }
        },
        Scenario("a missing parent, a failed check and a missing value are constraint violations") { subject in
            try await schema(subject)
            let statements: [StaticString] = [
                "INSERT INTO note (author, number) VALUES (99, 1)",
                "INSERT INTO account (id, address, balance) VALUES (1, 'a', -1)",
                "INSERT INTO account (id, address) VALUES (1, NULL)",
            ]
            for statement in statements {
                await #expect {
                    try await subject.database.write { try $0.execute(statement) }
                } throws: { error in
                    if case StorageError.constraintViolation = error { true } else { false }
                }
            }
        },
        Scenario("a faulty statement, a wrong number of parameters and a wrong type are misuse") { subject in
            try await schema(subject)
            try await expectMisuse(subject) { _ = try $0.execute("SELEC 1") }
            try await expectMisuse(subject) { _ = try $0.execute("DELETE FROM account WHERE id = ?1", []) }
            try await expectMisuse(subject) { connection in
                try connection.insertAccount(1)
                _ = try connection.row("SELECT address FROM account") { row throws(StorageError) in try row.integer(0) }
            }
            // None of it hinders the next.
            try await subject.database.write { try $0.insertAccount(1) }
        },
        Scenario("a script must not end the transaction, and then nothing of it stays") { subject in
            try await schema(subject)
            await #expect {
                try await subject.database.changeSchema { connection in
                    try connection.insertAccount(1)
                    try connection.executeScript("CREATE TABLE other (id BIGINT); ROLLBACK; SELECT 1")
                }
            } throws: { error in
                if case StorageError.misuse = error { true } else { false }
            }
            try await subject.database.write { try $0.insertAccount(2) }
            #expect(try await subject.database.read { try $0.accounts() } == [2])
        },
    ]

    private static func expectMisuse(_ subject: Subject, _ body: @escaping @Sendable (any SQLConnection) throws -> Void) async throws {
        await #expect {
            try await subject.database.write(body)
        } throws: { error in
            if case StorageError.misuse = error { true } else { false }
        }
    }
}
