import GateCore
import GateSQL
import Testing

extension SQLDatabaseContract {
    static let values: [Scenario] = [
        Scenario("integers come back as they were") { subject in
            try await roundTrip(subject, [Int64.min, -1, 0, 1, .max].map { .integer($0) })
        },
        Scenario("texts come back as they were") { subject in
            try await roundTrip(subject, ["", "a", "naïve – 漢字 🐦", String(repeating: "x", count: 100_000)].map { .text($0) })
        },
        Scenario("nulls come back as they were") { subject in try await roundTrip(subject, [.null]) },
        Scenario("blobs come back as they were") { subject in
            try await subject.database.changeSchema { try $0.executeScript("CREATE TABLE kept (number BIGINT PRIMARY KEY)") }
            let all = [UInt8](0...255)
            // A column of bytes is BLOB here and BYTEA there, so they go through a query instead of a table.
            let found = try await subject.database.read { connection in
                try connection.rows("SELECT ?1", [all]) { row throws(StorageError) in try row.blob(0) }
            }
            #expect(found == [all])
        },
        Scenario("times, truths, identifiers and optionals are bound as their stored form") { subject in
            try await subject.database.changeSchema {
                try $0.executeScript("CREATE TABLE kept (at BIGINT, yes BIGINT, no BIGINT, id TEXT, name TEXT)")
            }
            let at = Timestamp(milliseconds: 1_700_000_000_123)
            let id = Identifier<Scenario>(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0001)
            try await subject.database.write { connection in
                _ = try connection.execute("INSERT INTO kept VALUES (?1, ?2, ?3, ?4, ?5)", [at, true, false, id, String?.none])
            }
            let matched = try await subject.database.read { connection in
                try connection.row("SELECT at, yes, no, id, name FROM kept") { row throws(StorageError) in
                    (try row.timestamp(0) == at, try row.bool(1), try row.bool(2), try row.identifier(3) == id, try row.optionalText(4))
                }
            }
            #expect(matched?.0 == true)
            #expect(matched?.1 == true)
            #expect(matched?.2 == false)
            #expect(matched?.3 == true)
            #expect(matched?.4 == nil)
        },
        Scenario("parameters are taken by number, in any order and more than once") { subject in
            try await schema(subject)
            let found = try await subject.database.write { connection in
                try connection.execute("INSERT INTO account (address, id) VALUES (?2, ?1)", [5, "five"])
                return try connection.row("SELECT address FROM account WHERE id = ?1 AND ?1 = 5 AND address = ?2", [5, "five"]) {
                    row throws(StorageError) in try row.text(0)
                }
            }
            #expect(found == "five")
        },
        Scenario("execute tells the number of rows") { subject in
            try await schema(subject)
            let counts = try await subject.database.write { connection in
                for id in 1...5 { try connection.insertAccount(id) }
                return [
                    try connection.execute("UPDATE account SET balance = 1 WHERE id > 3"),
                    try connection.execute("UPDATE account SET balance = 1 WHERE id > 30"),
                    try connection.execute("DELETE FROM account"),
                ]
            }
            #expect(counts == [2, 0, 5])
        },
        Scenario("a query of no rows has no first row, and one of many the first") { subject in
            try await schema(subject)
            let (none, first) = try await subject.database.write { connection in
                let read = { (row: borrowing any SQLRow) throws(StorageError) in try row.integer(0) }
                let none = try connection.row("SELECT id FROM account ORDER BY id DESC", read: read)
                for id in 1...3 { try connection.insertAccount(id) }
                return (none, try connection.row("SELECT id FROM account ORDER BY id DESC", read: read))
            }
            #expect(none == nil)
            #expect(first == 3)
        },
        Scenario("a query may run inside the same query") { subject in
            try await schema(subject)
            let pairs = try await subject.database.write { connection in
                for id in 1...3 { try connection.insertAccount(id) }
                var pairs = 0
                func count(_ depth: Int) throws(StorageError) {
                    try connection.query("SELECT id FROM account ORDER BY id", []) { _ throws(StorageError) in
                        if depth == 1 { pairs += 1 } else { try count(depth + 1) }
                    }
                }
                try count(0)
                return pairs
            }
            #expect(pairs == 9)
        },
    ]

    private static func roundTrip(_ subject: Subject, _ values: [SQLValue]) async throws {
        try await subject.database.changeSchema {
            try $0.executeScript("CREATE TABLE kept (number BIGINT NOT NULL PRIMARY KEY, count BIGINT, body TEXT)")
        }
        try await subject.database.write { connection in
            for (number, value) in values.enumerated() {
                if case .integer = value {
                    try connection.execute("INSERT INTO kept (number, count) VALUES (?1, ?2)", [number, value])
                } else {
                    try connection.execute("INSERT INTO kept (number, body) VALUES (?1, ?2)", [number, value])
                }
            }
        }
        let found = try await subject.database.read { connection in
            try connection.rows("SELECT count, body FROM kept ORDER BY number") { row throws(StorageError) in
                row.isNull(0) ? row.value(1) : row.value(0)
            }
        }
        #expect(found == values)
    }
}
