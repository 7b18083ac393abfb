import GateCrypto
import GateSQL
import GateSQLite
import GateStores

/// The versions of this program and of what it is made with.
package enum GatehouseVersion {
    package static let current = "0.1.0"

    package static var all: [(name: String, version: String)] {
        [
            ("gatehouse", current), ("schema", "\(schema)"), ("sqlite", SQLiteDatabase.linkedVersion), ("openssl", OpenSSLVersion.text),
        ]
    }

    /// The newest step of the database's schema that this program knows.
    private static var schema: Int { AccountMigrations.sqlite.map(\.version).max() ?? 0 }
}
