package import GateCore
package import GateSQL

/// Leases of instances that share a database, by its clock. The table is there on Postgres only: with SQLite nobody else can have one.
package struct SQLLeaseStore: LeaseStore {
    private let database: any SQLDatabase
    private let time: any TimeSource

    package init(_ database: any SQLDatabase, time: any TimeSource) {
        self.database = database
        self.time = time
    }

    package func acquire(_ name: String, by holder: Instance.ID, for duration: Duration) async throws -> LeaseAnswer {
        let milliseconds = max(1, duration.wholeMilliseconds)
        // Before the database is asked: by its clock the lease ends later.
        let asked = time.monotonic()
        return try await database.write { connection in
            if let generation = try LeaseRows.take(name, holder, milliseconds, connection) {
                return .granted(
                    Lease(name: name, holder: holder, generation: generation, end: asked + .milliseconds(milliseconds)))
            }
            guard let (other, remaining) = try LeaseRows.holder(of: name, connection) else {
                throw StorageError.busy(reason: "the lease \(name) was given up at this moment")
            }
            return .taken(by: other, remaining: remaining)
        }
    }

    package func renew(_ lease: Lease, for duration: Duration) async throws -> Lease? {
        let milliseconds = max(1, duration.wholeMilliseconds)
        let asked = time.monotonic()
        let isRenewed = try await database.write { try LeaseRows.renew(lease, milliseconds, $0) }
        guard isRenewed else { return nil }
        return Lease(name: lease.name, holder: lease.holder, generation: lease.generation, end: asked + .milliseconds(milliseconds))
    }

    package func release(_ lease: Lease) async throws {
        try await database.write { try LeaseRows.release(lease, $0) }
    }
}

/// Leases as rows. Milliseconds since the epoch by the database's clock, which is read anew for each statement.
///
/// A lease that ends later than its length allows was given out before the clock was set back: its time is taken to be over.
package enum LeaseRows {
    /// Whether a lease is held now: to be asked in the transaction that writes what the lease is for. Until that has ended nobody takes the
    /// lease over: its row is locked (`SERIALIZABLE` alone lets both commit, as though the taking came second).
    package static func isHeld(_ lease: Lease, _ connection: any SQLConnection) throws(StorageError) -> Bool {
        try connection.row(
            """
            SELECT 1 FROM leases
            WHERE name = ?1 AND holder = ?2 AND generation = ?3
              AND gatehouse_clock() < expires_at AND expires_at - length <= gatehouse_clock()
            FOR SHARE
            """, [lease.name, lease.holder, lease.generation]
        ) { _ throws(StorageError) in true } ?? false
    }

    /// - Returns: the generation; `nil` where somebody else holds it.
    static func take(
        _ name: String, _ holder: Instance.ID, _ milliseconds: Int64, _ connection: any SQLConnection
    ) throws(StorageError) -> Int64? {
        try connection.row(
            """
            INSERT INTO leases (name, holder, generation, length, expires_at) VALUES (?1, ?2, 1, ?3, gatehouse_clock() + ?3)
            ON CONFLICT (name) DO UPDATE SET
                holder = excluded.holder, length = excluded.length, expires_at = excluded.expires_at,
                generation = leases.generation + CASE
                    WHEN leases.holder = excluded.holder AND gatehouse_clock() < leases.expires_at THEN 0 ELSE 1 END
            WHERE leases.holder = excluded.holder OR leases.expires_at <= gatehouse_clock()
               OR leases.expires_at - leases.length > gatehouse_clock()
            RETURNING generation
            """, [name, holder, milliseconds]
        ) { row throws(StorageError) in try row.integer(0) }
    }

    static func holder(of name: String, _ connection: any SQLConnection) throws(StorageError) -> (Instance.ID, Duration)? {
        try connection.row("SELECT holder, expires_at - gatehouse_clock() FROM leases WHERE name = ?1", [name]) {
            row throws(StorageError) in (try row.identifier(0), .milliseconds(max(0, try row.integer(1))))
        }
    }

    static func renew(_ lease: Lease, _ milliseconds: Int64, _ connection: any SQLConnection) throws(StorageError) -> Bool {
        try connection.execute(
            """
            UPDATE leases SET length = ?4, expires_at = gatehouse_clock() + ?4
            WHERE name = ?1 AND holder = ?2 AND generation = ?3
              AND gatehouse_clock() < expires_at AND expires_at - length <= gatehouse_clock()
            """, [lease.name, lease.holder, lease.generation, milliseconds]) > 0
    }

    /// The row stays, so that the generation goes on from it.
    static func release(_ lease: Lease, _ connection: any SQLConnection) throws(StorageError) {
        try connection.execute(
            """
            UPDATE leases SET expires_at = gatehouse_clock(), length = 0
            WHERE name = ?1 AND holder = ?2 AND generation = ?3 AND gatehouse_clock() < expires_at
            """, [lease.name, lease.holder, lease.generation])
    }
}
