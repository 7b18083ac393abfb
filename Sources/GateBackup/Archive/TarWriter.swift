import GateCore

/// Writes a tar archive (POSIX.1-2017, pax). Every member is a file of mode 0600.
final class TarWriter {
    private let sink: any ByteSink
    private let modified: Int64
    /// Bytes of the current member that are still to come.
    private var missing = 0
    private var padding = 0

    init(to sink: any ByteSink, at time: Timestamp) {
        self.sink = sink
        modified = max(0, time.seconds)
    }

    /// Begins a member. What was begun before must be complete.
    func begin(_ path: String, size: Int) throws(BackupError) {
        precondition(missing == 0, "a member is complete before the next")
        if let block = TarHeader(path: path, size: size, kind: .file, modified: modified).block {
            try sink.write(block)
        } else {
            try writeExtended(path, size)
        }
        missing = size
        padding = Self.padding(size)
        if missing == 0 { try pad() }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(BackupError) {
        precondition(bytes.count <= missing, "a member has as many bytes as was said")
        try sink.write(bytes)
        missing -= bytes.count
        if missing == 0, !bytes.isEmpty { try pad() }
    }

    /// Two empty blocks end an archive.
    func finish() throws(BackupError) {
        precondition(missing == 0, "a member is complete before the end")
        try sink.write([UInt8](repeating: 0, count: 2 * TarHeader.blockSize))
        try sink.finish()
    }

    private func pad() throws(BackupError) {
        if padding > 0 { try sink.write([UInt8](repeating: 0, count: padding)) }
        padding = 0
    }

    /// A header before the header, for what does not fit into it: records of `LENGTH KEY=VALUE\n`.
    private func writeExtended(_ path: String, _ size: Int) throws(BackupError) {
        let records = Array((Self.record("path", path) + Self.record("size", "\(size)")).utf8)
        let short = String(decoding: path.utf8.suffix(90).map { (0x21...0x7E).contains($0) && $0 != 0x2F ? $0 : 0x5F }, as: UTF8.self)
        let headers = [
            TarHeader(
                path: "PaxHeaders/\(short.utf8.count > 80 ? String(short.suffix(80)) : short)", size: records.count, kind: .extended,
                modified: modified),
            TarHeader(path: short, size: min(size, TarHeader.largestSize), kind: .file, modified: modified),
        ].compactMap(\.block)
        try sink.write(headers[0] + records + [UInt8](repeating: 0, count: Self.padding(records.count)))
        try sink.write(headers[1])
    }

    private static func record(_ key: String, _ value: String) -> String {
        let rest = " \(key)=\(value)\n"
        var length = rest.utf8.count + 1
        while "\(length)".utf8.count + rest.utf8.count != length { length = "\(length)".utf8.count + rest.utf8.count }
        return "\(length)\(rest)"
    }

    private static func padding(_ size: Int) -> Int { (TarHeader.blockSize - size % TarHeader.blockSize) % TarHeader.blockSize }
}
