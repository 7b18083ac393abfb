import GateCore
import GateSQL
import GateSQLite
import GateTesting
import Glibc
import Logging

extension TemporaryFolder {
    var databasePath: String { "\(path)/gatehouse.db" }

    func open(time: any TimeSource = SystemTime(), _ change: (inout SQLiteOptions) -> Void = { _ in }) async throws(StorageError)
        -> SQLiteDatabase
    {
        var options = SQLiteOptions()
        options.readers = 2
        change(&options)
        return try await SQLiteDatabase.open(path: databasePath, options: options, time: time, logger: .quiet)
    }
}

extension Logger {
    /// Says nothing.
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

/// All bytes of a file.
func contents(_ path: String) throws(StorageError) -> [UInt8] {
    guard let stream = fopen(path, "rb") else { throw .unavailable(reason: "\(path): \(errno)") }
    defer { fclose(stream) }
    fseek(stream, 0, SEEK_END)
    let size = ftell(stream)
    rewind(stream)
    return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in count = fread(buffer.baseAddress, 1, size, stream) }
}

func write(_ bytes: [UInt8], to path: String) throws(StorageError) {
    guard let stream = fopen(path, "wb") else { throw .unavailable(reason: "\(path): \(errno)") }
    defer { fclose(stream) }
    guard fwrite(bytes, 1, bytes.count, stream) == bytes.count else { throw .unavailable(reason: "\(path): \(errno)") }
}

func copy(_ path: String, to target: String) throws(StorageError) { try write(try contents(path), to: target) }

/// In bytes; zero where there is no file.
func fileSize(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
}
