import GateCore
import GateIdentity
import GatePostgres
import GateSQL
import GateTesting
import Testing

@testable import GatehouseApp

@Suite("Instances on one Postgres")
struct PostgresChangeFeedTests {
    /// Two connections' worth of instances on one database.
    private func onTwoInstances(_ body: (AccountDatabase, AccountDatabase) async throws -> Void) async throws {
        try await AccountDatabase.with(.postgres) { one in
            let other = try #require(try await one.opened(time: SystemTime()))
            do {
                try await body(one, other)
                await other.close()
            } catch {
                await other.close()
                throw error
            }
        }
    }

    private func feed(_ accounts: AccountDatabase) throws -> PostgresChangeFeed {
        PostgresChangeFeed(database: try #require(accounts.database as? PostgresDatabase), certificates: CertificateBell())
    }

    @Test("the feed keeps its contract: the database tells of its changes by itself")
    func contract() async throws {
        try await onTwoInstances { one, other in
            let feeds = (try feed(one), try feed(other))
            let database = one.database
            try await ChangeFeedContract {
                feeds
            } publish: { _, changes in
                try await database.write { connection in
                    for change in changes {
                        switch change {
                        case .revoked(let revocation):
                            let (kind, id) =
                                switch revocation.subject {
                                case .session(let id): ("session", id.description)
                                case .token(let id): ("token", id.description)
                                }
                            try connection.execute(
                                "INSERT INTO revocations (kind, id, expires_at) VALUES (?1, ?2, ?3)", [kind, id, revocation.expiresAt])
                        case .profile(let id):
                            try connection.execute(
                                """
                                INSERT INTO users (id, email, email_verified, created_at, updated_at) VALUES (?1, ?1, 0, 0, 0)
                                """, [id])
                            try connection.execute("UPDATE users SET name = 'another' WHERE id = ?1", [id])
                        case .everything: break
                        }
                    }
                }
            }.run()
        }
    }
}
