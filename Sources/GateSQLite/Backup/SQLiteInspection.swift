import GateCore
package import GateSQL

/// A look at a database file that nobody else has open, such as one from a backup.
package enum SQLiteInspection {
    /// Checks the whole file: every page, every index, every foreign key; then lets `body` read.
    ///
    /// Nothing is written, neither into the file nor beside it. It may be deleted once `body` runs.
    ///
    /// - Throws: `.corrupt` for a damaged file, and for one that is no database of ours; what `body` throws.
    package static func open<Result>(
        _ path: String, _ body: (any SQLConnection) throws -> Result
    ) throws -> Result {
        let connection = try SQLiteConnection(path: uri(path), access: .readOnlyAlone, vfs: nil)
        do throws(StorageError) {
            try check(connection, path)
        } catch {
            // A statement of ours that does not compile here: the schema that it was compiled against is nonsense.
            guard case .misuse(let reason) = error else { throw error }
            throw StorageError.corrupt(reason: reason)
        }
        return try body(connection)
    }

    private static func check(_ connection: SQLiteConnection, _ path: String) throws(StorageError) {
        try connection.executeScript("PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON")
        guard try connection.integer("PRAGMA application_id") == SQLiteFile.applicationID else {
            throw .corrupt(reason: "\(path) is no database of Gatehouse")
        }
        let finding = try connection.row("PRAGMA integrity_check(1)") { row throws(StorageError) in try row.text(0) }
        guard finding == "ok" else { throw .corrupt(reason: "\(path): \(finding ?? "no answer")") }
        let orphan = try connection.row("PRAGMA foreign_key_check") { row throws(StorageError) in try row.text(0) }
        if let orphan { throw .corrupt(reason: "\(path): a row of \(orphan) refers to one that is not there") }
    }

    /// As `open`, without the checks, for changing it: in one transaction, and leaving no other file beside it.
    package static func change<Result>(_ path: String, _ body: (any SQLConnection) throws -> Result) throws -> Result {
        let connection = try SQLiteConnection(path: path, access: .readWrite, vfs: nil)
        try connection.executeScript("PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA synchronous = EXTRA")
        try connection.execute("BEGIN IMMEDIATE")
        let result = try body(connection)
        try connection.execute("COMMIT")
        return result
    }

    /// `immutable` lets SQLite read without a lock and without looking for a log (https://sqlite.org/uri.html).
    private static func uri(_ path: String) -> String {
        var text = "file:"
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                text.unicodeScalars.append(UnicodeScalar(byte))
            default: text += "%\(Hex.encode([byte]))"
            }
        }
        return text + "?immutable=1"
    }
}
