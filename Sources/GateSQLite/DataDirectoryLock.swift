package import GateCore
import Glibc
import Synchronization

/// The right to work on a data folder, for one process at a time: `flock(2)` on `gatehouse.lock` in it.
///
/// The kernel gives it back when the process ends, however it ends; the file stays and means nothing by itself. Its content is
/// the holder's process id, for the message that a second one gets.
package final class DataDirectoryLock: Sendable {
    package let path: String
    private let descriptor: Mutex<Int32>

    /// Makes the folder (`0700`) where it is missing, and does not wait.
    ///
    /// - Throws: `.busy`, naming the process that holds it; otherwise why the file cannot be made.
    package init(folder: String) throws(StorageError) {
        try SQLiteFile.createFolder(folder)
        let path = folder.isEmpty ? "gatehouse.lock" : "\(folder)/gatehouse.lock"
        self.path = path
        let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SQLiteFile.systemError(errno, "\(path) cannot be made") }
        do throws(StorageError) {
            try Self.giveToOwner(of: folder, descriptor, path: path)
            try Self.lock(descriptor, path: path, folder: folder)
            try Self.write("\(getpid())\n", to: descriptor, path: path)
        } catch {
            Glibc.close(descriptor)
            throw error
        }
        self.descriptor = Mutex(descriptor)
    }

    deinit { release() }

    /// Gives the folder back. Further calls do nothing.
    package func release() {
        let descriptor = descriptor.withLock { descriptor in
            defer { descriptor = -1 }
            return descriptor
        }
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    /// What root makes in the folder of another user has to be that user's, who could not lock it otherwise. SQLite does so with its files.
    private static func giveToOwner(of folder: String, _ descriptor: Int32, path: String) throws(StorageError) {
        var owner = stat()
        var file = stat()
        guard geteuid() == 0, stat(folder.isEmpty ? "." : folder, &owner) == 0, fstat(descriptor, &file) == 0, file.st_uid != owner.st_uid
        else { return }
        guard fchown(descriptor, owner.st_uid, owner.st_gid) == 0 else {
            throw SQLiteFile.systemError(errno, "\(path) cannot be given away")
        }
    }

    private static func lock(_ descriptor: Int32, path: String, folder: String) throws(StorageError) {
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            switch errno {
            case EINTR: continue
            case EWOULDBLOCK:
                let holder = read(descriptor)
                throw .busy(
                    reason: "\(folder.isEmpty ? "." : folder) is in use by process \(holder ?? "?"): stop it, or choose another data folder"
                )
            case let code: throw SQLiteFile.systemError(code, "\(path) cannot be locked")
            }
        }
    }

    private static func write(_ text: String, to descriptor: Int32, path: String) throws(StorageError) {
        var text = text
        let written = text.withUTF8 { bytes in
            ftruncate(descriptor, 0) == 0 ? pwrite(descriptor, bytes.baseAddress, bytes.count, 0) : -1
        }
        guard written == text.utf8.count else { throw SQLiteFile.systemError(errno, "\(path) cannot be written") }
    }

    /// The process id in the file, if it holds one.
    private static func read(_ descriptor: Int32) -> String? {
        withUnsafeTemporaryAllocation(byteCount: 32, alignment: 1) { buffer in
            let count = pread(descriptor, buffer.baseAddress, buffer.count, 0)
            guard count > 0 else { return nil }
            let text = String(decoding: buffer.prefix(count), as: UTF8.self).split(separator: "\n").first
            return text.flatMap { UInt32($0) }.map(String.init)
        }
    }
}
