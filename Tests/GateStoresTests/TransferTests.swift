import GateCore
import GateCrypto
import GateIdentity
import GateSQL
import GateStores
import GateTesting
import Testing

@Suite("Everything is carried from one database to another")
struct TransferTests {
    /// Users with and without what may be missing, and something of everything else.
    private func fill(_ accounts: AccountDatabase, users: Int) async throws {
        let stores = accounts.stores
        for number in 0..<users {
            let organisation = Sample.organisation("Übung № \(number)")
            var user = Sample.user("user\(number)@example.com", at: Sample.start + .milliseconds(number))
            if number.isMultiple(of: 3) { user.name = nil }
            let session = Sample.session(of: user.id)
            try #require(
                await stores.users.insert(
                    user, passwordHash: number.isMultiple(of: 2) ? Sample.hash : nil, organisation: organisation, session: session))
            _ = try await stores.sessions.rotate(
                RefreshRotation(
                    session: session.id, generation: 0, device: Device(userAgent: nil, address: nil), now: Sample.start,
                    grace: .seconds(10), accessLifetime: .seconds(60)))
            _ = try await stores.loginFailures.record(
                LoginFailureKey(network: number == 0 ? "" : "192.0.2.\(number)", account: .max - UInt64(number)), at: Sample.start,
                forgettingBefore: Sample.start)
            try await stores.revocations.insert(Revocation(subject: .token(Sample.id()), expiresAt: Sample.start))
        }
    }

    @Test(
        "from SQLite to Postgres and back, row by row, in pages",
        arguments: [(DatabaseKind.sqlite, DatabaseKind.postgres), (.postgres, .sqlite)])
    func copying(_ from: DatabaseKind, _ to: DatabaseKind) async throws {
        try await AccountDatabase.with(from) { source in
            try await fill(source, users: 12)
            // More than one page.
            try await source.database.write { connection in
                for number in 0..<1200 {
                    try connection.execute(
                        "INSERT INTO revocations (kind, id, expires_at) VALUES ('session', ?1, ?2)",
                        [Sample.id(Session.self), number])
                }
            }
            try await AccountDatabase.with(to) { target in
                let transfer = AccountTransfer(from: source.database, to: target.database)
                #expect(try await transfer.occupiedTables() == [])
                let counts = try await transfer.copy()
                #expect(
                    Dictionary(uniqueKeysWithValues: counts.map { ($0.table, $0.rows) }) == [
                        "users": 12, "organisations": 12, "memberships": 12, "sessions": 12, "revocations": 1212, "login_failures": 12,
                    ])
                #expect(try await transfer.difference() == nil)
                #expect(Set(try await transfer.occupiedTables()) == Set(counts.map(\.table)))
                // What was copied is usable.
                let credential = try await target.stores.users.credential(email: try #require(EmailAddress("user2@example.com")))
                #expect(credential?.passwordHash == Sample.hash)
                #expect(try await target.stores.users.profile(try #require(credential).user.id)?.memberships.count == 1)
            }
        }
    }

    @Test(
        "what differs is found",
        arguments: [
            "UPDATE users SET name = 'x' WHERE email = 'user1@example.com'", "DELETE FROM revocations",
            "UPDATE sessions SET refreshed_at = ''", "INSERT INTO login_failures (network, account, count, last_at) VALUES ('z', 1, 1, 1)",
        ])
    func differences(_ statement: String) async throws {
        try await AccountDatabase.with(.sqlite) { source in
            try await fill(source, users: 3)
            try await AccountDatabase.with(.postgres) { target in
                let transfer = AccountTransfer(from: source.database, to: target.database)
                _ = try await transfer.copy()
                try await target.database.changeSchema { try $0.executeScript(statement) }
                #expect(try await transfer.difference() != nil)
                try await transfer.clear()
                #expect(try await transfer.occupiedTables() == [])
            }
        }
    }

    @Test("a target that already has one of the rows gets none", arguments: DatabaseKind.allCases)
    func conflict(_ kind: DatabaseKind) async throws {
        try await AccountDatabase.with(.sqlite) { source in
            try await fill(source, users: 3)
            try await AccountDatabase.with(kind) { target in
                _ = try await target.stores.addUser("user2@example.com")
                let transfer = AccountTransfer(from: source.database, to: target.database)
                #expect(try await transfer.occupiedTables() == ["users"])
                await #expect(throws: StorageError.uniqueViolation(constraint: "users.email")) { try await transfer.copy() }
            }
        }
    }

    @Test("no table and no column is left out")
    func complete() async throws {
        let columns = try await AccountDatabase.with(.sqlite) { accounts in
            try await accounts.database.read { connection in
                try connection.rows(
                    """
                    SELECT t.name, c.name FROM pragma_table_list t, pragma_table_info(t.name) c
                    WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%' AND t.name <> 'schema_migrations'
                    """
                ) { row throws(StorageError) in (try row.text(0), try row.text(1)) }
            }
        }
        let tables = Dictionary(grouping: columns) { $0.0 }.mapValues { Set($0.map(\.1)) }
        #expect(tables == AccountTransfer.columns.mapValues { Set($0) })
    }
}
