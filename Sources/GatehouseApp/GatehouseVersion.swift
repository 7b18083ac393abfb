import GateCrypto
import GateSQLite

/// The versions of this program and of what it is made with.
package enum GatehouseVersion {
    package static let current = "0.1.0"

    package static var all: [(name: String, version: String)] {
        [("gatehouse", current), ("sqlite", SQLiteDatabase.linkedVersion), ("openssl", OpenSSLVersion.text)]
    }
}
