import CPostgres
package import GateCore
import GateSQL

/// A look at a Postgres database from outside of the server: whether it can be reached and signed in to, and what there is to know about it.
package struct PostgresExamination: Hashable, Sendable {
    /// As its makers write it: `15.8 (Debian 15.8-0+deb12u1)`.
    package var version: String
    package var libraryVersion: String
    /// The host that was connected to, of several; a folder for a Unix socket.
    package var host: String
    package var isEncrypted: Bool
    /// Whether somebody between here and the server hands connections on.
    package var isBehindPooler: Bool
    package var encoding: String
    package var syncsFiles: Bool
    package var user: String
    /// Whether the role may create tables, which migrations do; `nil` where no schema of its search path exists.
    package var mayCreate: Bool?
    /// Tables of the schema that others own, and that the role may not read and write.
    package var foreignTables: [String]
    package var forbiddenTables: [String]
    /// Connections that the server still has for such a role.
    package var freeConnections: Int
    /// One round trip.
    package var latency: Duration

    package init(
        version: String, libraryVersion: String, host: String, isEncrypted: Bool, isBehindPooler: Bool, encoding: String, syncsFiles: Bool,
        user: String, mayCreate: Bool?, foreignTables: [String], forbiddenTables: [String], freeConnections: Int, latency: Duration
    ) {
        self.version = version
        self.libraryVersion = libraryVersion
        self.host = host
        self.isEncrypted = isEncrypted
        self.isBehindPooler = isBehindPooler
        self.encoding = encoding
        self.syncsFiles = syncsFiles
        self.user = user
        self.mayCreate = mayCreate
        self.foreignTables = foreignTables
        self.forbiddenTables = forbiddenTables
        self.freeConnections = freeConnections
        self.latency = latency
    }

    /// - Throws: `.unavailable`, within some seconds, where the library is missing or the server cannot be reached or refuses.
    package static func of(_ url: PostgresURL, time: any TimeSource) async throws(StorageError) -> PostgresExamination {
        let library = try LibPQ.open()
        let result: Result<PostgresExamination, StorageError> = await withCheckedContinuation { continuation in
            _ = DatabaseThread(name: "postgres-look") {
                continuation.resume(
                    returning: Result { () throws(StorageError) in
                        var host = 0
                        let connection = try PostgresConnection.open(
                            url, library, name: "gatehouse-doctor", from: &host, within: PostgresOptions().connectTime, time: time)
                        do throws(PostgresFailure) {
                            return try PostgresExamination(connection, library, time)
                        } catch {
                            throw error.error
                        }
                    })
            }
        }
        return try result.get()
    }

    private init(_ connection: PostgresConnection, _ library: LibPQ, _ time: any TimeSource) throws(PostgresFailure) {
        let limit = PostgresOptions().statementTime
        let result = try connection.run(Self.question, [], named: false, until: time.monotonic() + limit)
        let row = PostgresRow(result: result, row: 0)
        do throws(StorageError) {
            version = try row.text(0)
            encoding = try row.text(1)
            syncsFiles = try row.text(2) == "on"
            user = try row.text(3)
            isBehindPooler = try row.integer(4) != connection.toldProcess
            mayCreate = row.isNull(5) ? nil : try row.integer(5) != 0
            foreignTables = row.isNull(6) ? [] : try row.text(6).split(separator: ",").map(String.init)
            forbiddenTables = row.isNull(7) ? [] : try row.text(7).split(separator: ",").map(String.init)
            freeConnections = Int(try row.integer(8))
        } catch {
            throw PostgresFailure(code: "XX000", error)
        }
        libraryVersion = library.version
        host = connection.host
        isEncrypted = connection.isEncrypted
        let asked = time.monotonic()
        try connection.run(script: "SELECT 1", until: asked + limit)
        latency = time.monotonic().since(asked)
    }

    private static let question: StaticString = """
        WITH tables AS (
            SELECT c.oid, c.relname, c.relowner FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p')
        )
        SELECT current_setting('server_version'), current_setting('server_encoding'), current_setting('fsync'), current_user::text,
            pg_backend_pid(), has_schema_privilege(current_schema(), 'CREATE'),
            (SELECT string_agg(relname::text, ',' ORDER BY relname) FROM tables WHERE NOT pg_has_role(relowner, 'USAGE')),
            (SELECT string_agg(relname::text, ',' ORDER BY relname) FROM tables
                WHERE NOT (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
                    AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE'))),
            current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint
                - (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend')
        """
}

extension PostgresConnection {
    /// The one of the hosts that was connected to; a folder for a Unix socket.
    var host: String { functions.host(handle).map { String(cString: $0) } ?? "" }

    var isEncrypted: Bool { functions.sslInUse(handle) != 0 }
}
