package import GateCore
import GateSQL

/// What became of a copy of the database.
package struct DatabaseSnapshot: Hashable, Sendable {
    /// The newest migration in it; zero where there is none.
    package var schemaVersion: Int
}

extension SQLiteDatabase {
    /// Copies the database, as it is at this moment, into a new file (`0600`), flushed to the disk. No write waits for it.
    ///
    /// While it runs, the write-ahead log is not begun anew, and so grows by what is written meanwhile. The copy goes as fast as the disk
    /// takes it.
    ///
    /// - Parameters:
    ///   - path: where there is nothing. What is there after a failure is worth nothing, and is the caller's to delete.
    ///   - progress: called on a thread of its own with the pages copied and all of them; `false` ends the copying.
    /// - Throws: `StorageError`; `.closed` where it was ended.
    package func snapshot(
        to path: String, progress: @escaping @Sendable (_ copied: Int, _ pages: Int) -> Bool = { _, _ in true }
    ) async throws(StorageError) -> DatabaseSnapshot {
        let file = file
        let condition = condition
        let result: Result<Int, StorageError> = await withCheckedContinuation { continuation in
            _ = DatabaseThread(name: "sqlite-backup") {
                condition.longReadBegins()
                defer { condition.longReadEnds() }
                do throws(StorageError) {
                    let snapshot = try SQLiteSnapshot(of: file, to: path)
                    continuation.resume(returning: .success(try snapshot.run(progress)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return DatabaseSnapshot(schemaVersion: try result.get())
    }

    /// The size in bytes that a copy of the database has now.
    package func snapshotSize() async throws(StorageError) -> Int {
        do {
            return try await submit(to: reads) { connection in
                Int(try connection.integer("PRAGMA page_count") * connection.integer("PRAGMA page_size"))
            }
        } catch let error as StorageError {
            throw error
        } catch {
            throw .unavailable(reason: "\(error)")
        }
    }
}
