import GateCore
import GateIdentity
import GateSQL

/// Sessions as rows. Every query names the columns in this order: `id, user_id, user_agent, address, created_at, last_used_at,
/// expires_at, access_expires_at, refresh_generation`, and then `refreshed_at` for a family.
enum SessionRows {
    static func session(_ row: borrowing any SQLRow) throws(StorageError) -> Session {
        Session(
            id: try row.identifier(0), userID: try row.identifier(1),
            device: Device(userAgent: try row.optionalText(2), address: try row.optionalText(3)), createdAt: try row.timestamp(4),
            lastUsedAt: try row.timestamp(5), expiresAt: try row.timestamp(6), accessExpiresAt: try row.timestamp(7),
            refreshGeneration: try row.integer(8))
    }

    static func family(_ row: borrowing any SQLRow) throws(StorageError) -> RefreshFamily {
        RefreshFamily(session: try session(row), rotations: RecentRotations(octets: try row.blob(9)))
    }

    /// The live session of that id, with what is known of its refresh tokens.
    static func family(_ id: Session.ID, at now: Timestamp, _ connection: any SQLConnection) throws(StorageError) -> RefreshFamily? {
        try connection.row(
            """
            SELECT id, user_id, user_agent, address, created_at, last_used_at, expires_at, access_expires_at, refresh_generation,
                   refreshed_at
            FROM sessions WHERE id = ?1 AND expires_at > ?2
            """, [id, now], read: family)
    }

    static func insert(_ session: Session, _ connection: any SQLConnection) throws(StorageError) {
        try connection.execute(
            """
            INSERT INTO sessions (id, user_id, user_agent, address, created_at, last_used_at, expires_at, access_expires_at,
                                  refresh_generation, refreshed_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
            """,
            [
                session.id, session.userID, session.device.userAgent, session.device.address, session.createdAt, session.lastUsedAt,
                session.expiresAt, session.accessExpiresAt, session.refreshGeneration, RecentRotations().octets,
            ])
    }

    /// Writes what a refresh changes.
    static func update(_ family: RefreshFamily, _ connection: any SQLConnection) throws(StorageError) {
        let session = family.session
        try connection.execute(
            """
            UPDATE sessions SET user_agent = ?2, address = ?3, last_used_at = ?4, access_expires_at = ?5, refresh_generation = ?6,
                                refreshed_at = ?7
            WHERE id = ?1
            """,
            [
                session.id, session.device.userAgent, session.device.address, session.lastUsedAt, session.accessExpiresAt,
                session.refreshGeneration, family.rotations.octets,
            ])
    }

    /// Deletes the sessions and records their revocations.
    static func end(_ selection: SessionSelection, _ connection: any SQLConnection) throws(StorageError) -> [EndedSession] {
        let ended = try select(selection, connection)
        for session in ended {
            try RevocationRows.insert(
                Revocation(subject: .session(session.id), expiresAt: session.accessExpiresAt), connection)
            try connection.execute("DELETE FROM sessions WHERE id = ?1", [session.id])
        }
        return ended
    }

    private static func select(
        _ selection: SessionSelection, _ connection: any SQLConnection
    ) throws(StorageError) -> [EndedSession] {
        switch selection {
        case .one(let id):
            try connection.rows("SELECT id, user_id, access_expires_at FROM sessions WHERE id = ?1", [id], read: ended)
        case .own(let id, let user):
            try connection.rows(
                "SELECT id, user_id, access_expires_at FROM sessions WHERE id = ?1 AND user_id = ?2", [id, user], read: ended)
        case .all(let user):
            try connection.rows("SELECT id, user_id, access_expires_at FROM sessions WHERE user_id = ?1", [user], read: ended)
        case .others(let id, let user):
            try connection.rows(
                "SELECT id, user_id, access_expires_at FROM sessions WHERE user_id = ?2 AND id <> ?1", [id, user], read: ended)
        }
    }

    private static func ended(_ row: borrowing any SQLRow) throws(StorageError) -> EndedSession {
        EndedSession(id: try row.identifier(0), userID: try row.identifier(1), accessExpiresAt: try row.timestamp(2))
    }
}

extension RecentRotations {
    fileprivate init(octets: [UInt8]) {
        self.init(
            times: stride(from: 0, to: octets.count - octets.count % 8, by: 8).map { start in
                let word = octets[start..<(start + 8)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                return Timestamp(milliseconds: Int64(bitPattern: word))
            })
    }

    fileprivate var octets: [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(times.count * 8)
        for time in times {
            let word = UInt64(bitPattern: time.milliseconds)
            for shift in stride(from: UInt64(56), through: 0, by: -8) { octets.append(UInt8(truncatingIfNeeded: word >> shift)) }
        }
        return octets
    }
}
