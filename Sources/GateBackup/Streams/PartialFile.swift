package import GateCore
import Glibc

/// A file that is written under a name of its own, and gets its real name only when all of it is on the disk: whoever looks, after a power
/// cut too, finds it whole or not at all.
///
/// It is locked (flock(2)) while it is written. One that nobody holds was left behind by a process that was killed, and the next one in
/// that folder deletes it.
package final class PartialFile: ByteSink {
    private static let prefix = ".gatehouse-backup-"
    private static let suffix = ".partial"

    package let path: String
    private let folder: String
    private let descriptor: Int32
    private var isPlaced = false
    private var written = 0
    private var flushed = 0

    /// What is written is handed to the disk in steps of so many bytes: a server's own syncs must not wait for all of it at once.
    private static let flushInterval = 8 << 20

    /// Makes the file with `0600`, beside where it will be.
    package init(in folder: String, entropy: some Entropy) throws(BackupError) {
        self.folder = folder
        while true {
            let path = "\(folder)/\(Self.prefix)\(Hex.encode(entropy.bytes(8)))\(Self.suffix)"
            let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw .system("create a file in \(folder)") }
            var status = stat()
            // Between opening and locking, somebody may have taken it for one that was left behind.
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &status) == 0, status.st_nlink > 0 {
                self.path = path
                self.descriptor = descriptor
                return
            }
            close(descriptor)
        }
    }

    deinit {
        if !isPlaced { unlink(path) }
        close(descriptor)
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws(BackupError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count >= 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                written += count
            } else if errno != EINTR {
                throw .system("write to \(folder)")
            }
        }
        guard written - flushed >= Self.flushInterval else { return }
        flushed = written
        guard fdatasync(descriptor) == 0 else { throw .system("write to \(folder)") }
    }

    /// Puts what was written on the disk.
    package func finish() throws(BackupError) {
        guard fsync(descriptor) == 0 else { throw .system("write to \(folder)") }
    }

    /// How many bytes were written.
    package var size: Int { written }

    /// Gives it its name, for good. To be called after ``finish()``.
    ///
    /// - Parameter replacing: `false` fails with `.taken` where there is something of that name.
    package func place(at final: String, replacing: Bool) throws(BackupError) {
        if replacing {
            guard rename(path, final) == 0 else { throw .system("create \(final)") }
        } else {
            // A hard link, unlike rename(2), refuses a name that is taken.
            guard link(path, final) == 0 else { throw .system("create \(final)") }
            unlink(path)
        }
        isPlaced = true
        try Folders.flush(folder)
    }

    /// Deletes what processes that were killed have left in `folder`.
    package static func sweep(_ folder: String) {
        for name in FolderContents.names(in: folder) where name.hasPrefix(prefix) && name.hasSuffix(suffix) {
            let path = "\(folder)/\(name)"
            let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
            guard descriptor >= 0 else { continue }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { unlink(path) }
            close(descriptor)
        }
    }
}
