import GateCore
import GateSQL
import GateSQLite
import Logging
import Synchronization

// Durable writes a second, by the number of tasks that write at once.
//
//   storage-bench FOLDER SECONDS [WRITERS …]

let arguments = CommandLine.arguments
guard arguments.count >= 3, let seconds = Int(arguments[2]) else {
    print("usage: storage-bench FOLDER SECONDS [WRITERS …]")
    throw StorageError.misuse(reason: "arguments")
}
let writers = arguments.count > 3 ? arguments.dropFirst(3).compactMap { Int($0) } : [1, 64, 1000]
for count in writers {
    let rate = try await writesPerSecond(folder: arguments[1], writers: count, duration: .seconds(seconds))
    print("{\"writers\":\(count),\"writes_per_second\":\(rate)}")
}

/// Tasks that each write one row, await the answer, and write the next.
func writesPerSecond(folder: String, writers: Int, duration: Duration) async throws -> Int {
    let time = SystemTime()
    let database = try await SQLiteDatabase.open(
        path: "\(folder)/bench-\(writers)-\(time.now().milliseconds).db", time: time,
        logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() })
    try await database.changeSchema {
        try $0.executeScript("CREATE TABLE event (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL) STRICT")
    }
    let start = time.monotonic()
    let end = start + duration
    let written = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<writers {
            group.addTask {
                // Of its own, as in a server: the count of one that all share would go from core to core with each write.
                let body = String(repeating: "0123456789abcdef", count: 4)
                var count = 0
                while time.monotonic() < end {
                    try await database.write { [count] connection in
                        _ = try connection.execute("INSERT INTO event (at, body) VALUES (?1, ?2)", [count, body])
                    }
                    count += 1
                }
                return count
            }
        }
        return try await group.reduce(0, +)
    }
    let elapsed = time.monotonic().since(start)
    await database.close()
    return Int(Double(written) / (Double(elapsed.wholeNanoseconds) / 1e9))
}
