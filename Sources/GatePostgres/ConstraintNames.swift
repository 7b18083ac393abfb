import GateCore
import GateSQL
import Synchronization

/// Which columns the unique constraints are about, as `table.column`. Postgres tells a constraint's name only; SQLite the columns only,
/// and that is what ``StorageError/uniqueViolation(constraint:)`` promises.
///
/// Learnt when the database is opened and after each change of the schema: in a transaction that a statement spoilt nothing can be asked.
final class ConstraintNames: Sendable {
    private let columns = Mutex<[String: String]>([:])

    /// `nil` for one that another process made since.
    func columns(of constraint: (schema: String, name: String)) -> String? {
        columns.withLock { $0["\(constraint.schema).\(constraint.name)"] }
    }

    /// Asks the catalogue.
    func learn(from connection: PostgresConnection, until end: MonotonicInstant) throws(PostgresFailure) {
        let result = try connection.run(
            """
            SELECT n.nspname || '.' || c.relname, string_agg(owner.relname || '.' || a.attname, ',' ORDER BY place)
            FROM pg_catalog.pg_index i
            JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_class owner ON owner.oid = i.indrelid
            CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (number, place)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
            WHERE i.indisunique AND n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema')
            GROUP BY 1
            """, [], named: false, until: end)
        var learnt: [String: String] = [:]
        for number in 0..<result.rows {
            let row = PostgresRow(result: result, row: Int32(number))
            if case .text(let name) = row.value(0), case .text(let list) = row.value(1) { learnt[name] = list }
        }
        let found = learnt
        columns.withLock { $0 = found }
    }
}
