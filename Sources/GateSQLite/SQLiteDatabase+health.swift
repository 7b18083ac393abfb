import GateCore
package import GateSQL

extension SQLiteDatabase {
    /// Reads a row. Where the last write failed for want of space or of a sound disk, also tries a small durable write, at most
    /// once a second, so that a server whose disk has room again is healthy again without a client's write.
    package func health() async -> DatabaseHealth {
        let start = time.monotonic()
        do {
            _ = try await read { try $0.row("SELECT count(*) FROM sqlite_schema") { (row) throws(StorageError) in try row.integer(0) } }
            let latency = time.monotonic().since(start)
            if condition.claimProbe(at: start, interval: .seconds(1)) { try await submit(to: writes, alone: true) { try $0.touch() } }
            return condition.failure.map { .failing($0) } ?? .ok(latency: latency)
        } catch let error as StorageError {
            return .failing(error)
        } catch {
            return .failing(.unavailable(reason: "\(error)"))
        }
    }
}
