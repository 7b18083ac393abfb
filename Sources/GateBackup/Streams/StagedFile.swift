import Glibc

/// A new file (`0600`) in a folder that nobody looks into yet, on the disk once it is finished.
package final class StagedFile: ByteSink {
    private let path: String
    private let descriptor: Int32

    /// Makes the folders above it where they are missing. What is there already is `.taken`.
    package init(_ path: String) throws(BackupError) {
        try Folders.make(Folders.parent(of: path))
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system("create \(path)") }
    }

    deinit { close(descriptor) }

    package func write(_ bytes: UnsafeRawBufferPointer) throws(BackupError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count >= 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            } else if errno != EINTR {
                throw .system("write to \(path)")
            }
        }
    }

    package func finish() throws(BackupError) {
        guard fsync(descriptor) == 0 else { throw .system("write to \(path)") }
        try Folders.flush(Folders.parent(of: path))
    }

    /// The same, with all of it at once.
    package static func write(_ bytes: [UInt8], to path: String) throws(BackupError) {
        let file = try StagedFile(path)
        try file.write(bytes)
        try file.finish()
    }
}
