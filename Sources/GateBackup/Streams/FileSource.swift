import Glibc

/// Reads a file from its beginning, or a pipe.
package final class FileSource: ByteSource {
    private let path: String
    private let descriptor: Int32
    /// In bytes, as it was when it was opened.
    package let size: Int

    /// - Throws: `.missing`, `.notPermitted`; `.foreign` for what is neither file nor pipe.
    package init(_ path: String) throws(BackupError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open \(path)") }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let error = BackupError.system("look at \(path)")
            close(descriptor)
            throw error
        }
        let type = status.st_mode & S_IFMT
        guard type == S_IFREG || type == S_IFIFO else {
            close(descriptor)
            throw BackupError(.foreign, "\(path) is not a file")
        }
        size = type == S_IFREG ? Int(status.st_size) : 0
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    deinit { close(descriptor) }

    package func read(into target: UnsafeMutableRawBufferPointer) throws(BackupError) -> Int {
        while true {
            let count = Glibc.read(descriptor, target.baseAddress, target.count)
            if count >= 0 { return count }
            guard errno == EINTR else { throw .system("read \(path)") }
        }
    }
}
