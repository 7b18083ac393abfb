#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Writes files so that whoever reads them, after a power cut too, finds the old content or the new one and never a part.
package enum AtomicFile {
    /// A step that failed, with its `errno`. What was there before is untouched, except where the folder's fsync failed: then
    /// either content may be there after a power cut.
    package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        package let operation: String
        package let path: String
        package let code: Int32

        package var description: String { "cannot \(operation) \(path): \(String(cString: strerror(code)))" }

        /// With `replacing: false`: something is there already.
        package var isTaken: Bool { code == EEXIST }
    }

    /// A temporary file in the same folder is written, flushed to the disk, and put in the place of `path`; then the folder is
    /// flushed.
    ///
    /// - Parameter replacing: `false` fails with `isTaken` where `path` exists, without touching it.
    package static func write(
        _ bytes: some Collection<UInt8>, to path: String, mode: UInt32 = 0o600, replacing: Bool = true
    ) throws(Failure) {
        let folder = parent(of: path)
        let temporary = try writeTemporary(Array(bytes), beside: path, mode: mode)
        var isPlaced = false
        // A hard link, unlike rename(2), refuses a name that is taken.
        if replacing {
            isPlaced = rename(temporary, path) == 0
        } else if link(temporary, path) == 0 {
            isPlaced = true
            unlink(temporary)
        }
        guard isPlaced else {
            let code = errno
            unlink(temporary)
            throw Failure(operation: replacing ? "replace" : "create", path: path, code: code)
        }
        try flushFolder(folder)
    }

    private static func writeTemporary(_ bytes: [UInt8], beside path: String, mode: UInt32) throws(Failure) -> String {
        var template = Array((path + ".XXXXXX").utf8CString)
        let descriptor = template.withUnsafeMutableBufferPointer { mkstemp($0.baseAddress!) }
        guard descriptor >= 0 else { throw Failure(operation: "create a file beside", path: path, code: errno) }
        let temporary = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        var failure: Failure?
        if fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0 || fchmod(descriptor, mode_t(mode)) != 0 {
            failure = Failure(operation: "set the mode of", path: temporary, code: errno)
        }
        var written = 0
        while failure == nil, written < bytes.count {
            let count = bytes.withUnsafeBytes { writeOnce(descriptor, $0.baseAddress! + written, $0.count - written) }
            if count >= 0 {
                written += count
            } else if errno != EINTR {
                failure = Failure(operation: "write", path: temporary, code: errno)
            }
        }
        if failure == nil, fsync(descriptor) != 0 { failure = Failure(operation: "flush", path: temporary, code: errno) }
        if close(descriptor) != 0, failure == nil { failure = Failure(operation: "close", path: temporary, code: errno) }
        if let failure {
            unlink(temporary)
            throw failure
        }
        return temporary
    }

    private static func flushFolder(_ folder: String) throws(Failure) {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(operation: "open the folder", path: folder, code: errno) }
        defer { close(descriptor) }
        // Some file systems have nothing to flush for a folder and say EINVAL, see fsync(2).
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw Failure(operation: "flush the folder", path: folder, code: errno) }
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

/// write(2), which `AtomicFile.write` hides.
private func writeOnce(_ descriptor: Int32, _ start: UnsafeRawPointer, _ count: Int) -> Int { write(descriptor, start, count) }
