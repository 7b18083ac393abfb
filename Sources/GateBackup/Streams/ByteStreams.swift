/// Where bytes go, in order. Confined to one thread, and not used again after it threw.
package protocol ByteSink: AnyObject {
    func write(_ bytes: UnsafeRawBufferPointer) throws(BackupError)
    /// Nothing follows: what was held back goes on.
    func finish() throws(BackupError)
}

/// Where bytes come from, in order. Confined to one thread, and not used again after it threw.
package protocol ByteSource: AnyObject {
    /// - Returns: how many bytes are in `target`, which must not be empty; zero at the end, and only there.
    func read(into target: UnsafeMutableRawBufferPointer) throws(BackupError) -> Int
}

extension ByteSink {
    func write(_ bytes: [UInt8]) throws(BackupError) { try Self.lend(bytes) { bytes throws(BackupError) in try write(bytes) } }

    /// `withUnsafeBytes` does not pass a typed error on.
    private static func lend(_ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(BackupError) -> Void) throws(BackupError) {
        let result: Result<Void, BackupError> = bytes.withUnsafeBytes { bytes in
            do throws(BackupError) { return .success(try body(bytes)) } catch { return .failure(error) }
        }
        try result.get()
    }
}

extension ByteSource {
    /// Reads until `target` is full.
    ///
    /// - Returns: how many bytes there were: fewer only at the end.
    func fill(_ target: UnsafeMutableRawBufferPointer) throws(BackupError) -> Int {
        var count = 0
        while count < target.count {
            let step = try read(into: UnsafeMutableRawBufferPointer(rebasing: target[count...]))
            if step == 0 { break }
            count += step
        }
        return count
    }

    /// Reads all that is left, and gives it to `sink`.
    package func drain(to sink: some ByteSink) throws(BackupError) {
        let buffer = IOBuffer()
        while true {
            let count = try read(into: buffer.bytes)
            if count == 0 { return }
            try sink.write(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count]))
        }
    }
}

/// Memory for reading and writing, freed with its last reference.
package final class IOBuffer {
    package let bytes: UnsafeMutableRawBufferPointer

    /// The size of parts in which everything is read and written, whatever there is of it.
    package static let size = 64 << 10

    package init(size: Int = IOBuffer.size) { bytes = .allocate(byteCount: size, alignment: 16) }

    deinit { bytes.deallocate() }
}
