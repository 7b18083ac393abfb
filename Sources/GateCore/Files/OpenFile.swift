import CFiles

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file that is open for reading, and closed with the last reference. It may be used by several threads at once: nothing of it moves.
package final class OpenFile: Sendable {
    /// Not to be closed, nor to be kept longer than this object.
    package let descriptor: CInt

    init(taking descriptor: CInt) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// As it is now.
    package func status() throws(FileFailure) -> FileStatus {
        var status = files_status()
        try FileFailure.check(files_get_status(descriptor, &status))
        return FileStatus(status)
    }

    /// Reads at most as much as `target` holds, from `offset` on.
    ///
    /// - Returns: how many bytes were read; zero at the end of the file.
    package func read(at offset: Int, into target: UnsafeMutableRawBufferPointer) throws(FileFailure) -> Int {
        try FileFailure.check(files_read(descriptor, target.baseAddress, target.count, Int64(offset), 0))
    }

    /// The same without ever waiting for the disk: only what lies in memory (`RWF_NOWAIT`, see preadv2(2)).
    ///
    /// - Returns: `nil` where the disk would have to be waited for, or where the file system cannot tell.
    package func readCached(at offset: Int, into target: UnsafeMutableRawBufferPointer) -> Int? {
        let count = files_read(descriptor, target.baseAddress, target.count, Int64(offset), 1)
        return count < 0 ? nil : count
    }

    /// How many bytes from `offset` on lie in memory, looking at one byte in each `stride`: a guess, which costs a system call for each.
    package func cachedCount(at offset: Int, upTo count: Int, stride: Int) -> Int {
        withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { byte in
            var probed = 0
            while probed < count {
                // The last byte of each step: readahead goes forwards.
                let step = min(stride, count - probed)
                guard readCached(at: offset + probed + step - 1, into: byte) == 1 else { break }
                probed += step
            }
            return probed
        }
    }
}

/// What fstat(2) says of a file.
package struct FileStatus: Hashable, Sendable {
    package enum Kind: Hashable, Sendable { case file, folder, other }

    package var kind: Kind
    /// In bytes.
    package var size: Int
    package var inode: UInt64
    /// When its content was written last, as whoever wrote it may say; nanoseconds since 1970.
    package var modified: Int64
    /// When anything about it was changed last, which nobody can set; nanoseconds since 1970.
    package var changed: Int64

    package init(kind: Kind, size: Int, inode: UInt64, modified: Int64, changed: Int64) {
        self.kind = kind
        self.size = size
        self.inode = inode
        self.modified = modified
        self.changed = changed
    }

    init(_ status: files_status) {
        kind = status.is_file != 0 ? .file : status.is_folder != 0 ? .folder : .other
        size = Int(status.size)
        inode = status.inode
        modified = status.modified
        changed = status.changed
    }
}

/// A system call on a file that failed.
package struct FileFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The `errno`.
    package let code: CInt

    package init(code: CInt) { self.code = code }

    package var description: String { String(cString: strerror(code)) }

    @discardableResult
    static func check<Result: SignedInteger>(_ result: Result) throws(FileFailure) -> Result {
        guard result >= 0 else { throw FileFailure(code: CInt(-result)) }
        return result
    }
}
