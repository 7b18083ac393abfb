import GateCore
import Glibc

/// A file or folder as stat(2) shows it, and the room on its file system.
package struct FileFacts: Hashable, Sendable {
    package var isFolder: Bool
    package var owner: UInt32
    /// The permission bits.
    package var mode: UInt32

    /// - Throws: `errno`'s words, where there is nothing or it may not be seen.
    package static func of(_ path: String) -> Result<FileFacts, FileFault> {
        var status = stat()
        guard stat(path, &status) == 0 else { return .failure(FileFault(code: errno)) }
        return .success(
            FileFacts(isFolder: status.st_mode & S_IFMT == S_IFDIR, owner: status.st_uid, mode: UInt32(status.st_mode & 0o7777)))
    }
}

package struct FileFault: Error, Hashable, Sendable, CustomStringConvertible {
    package let code: Int32

    package var isMissing: Bool { code == ENOENT || code == ENOTDIR }
    package var description: String { String(cString: strerror(code)) }
}

/// What is left on a file system, see statvfs(3).
package struct FreeRoom: Hashable, Sendable {
    /// For this user.
    package var bytes: UInt64
    package var inodes: UInt64
    /// Some file systems (btrfs) count none: then there is no end to them.
    package var countsInodes: Bool

    package static func at(_ path: String) -> FreeRoom? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        return FreeRoom(
            bytes: UInt64(status.f_bavail) * UInt64(status.f_frsize), inodes: UInt64(status.f_favail), countsInodes: status.f_files > 0)
    }
}

/// Files that hold keys, and that others than their owner can read.
package enum ExposedFiles {
    /// `secrets.toml`, the cluster key, the self-signed certificate's key, and what is kept of ACME accounts and certificates; also under the
    /// names that the first and the last have once they are not used any more.
    package static func `in`(_ folder: String) -> [String] {
        let names = FolderContents.names(in: folder)
        let single = names.filter { ["secrets.toml", "cluster.key", "self-signed.pem"].contains($0) || $0.hasPrefix("secrets.toml.") }
        let folders = names.filter { $0 == "acme" || $0.hasPrefix("acme.") }.flatMap { files(below: "\(folder)/\($0)", depth: 0) }
        return (single.map { "\(folder)/\($0)" } + folders).filter { path in
            guard let facts = try? FileFacts.of(path).get() else { return false }
            return !facts.isFolder && facts.mode & 0o077 != 0
        }
    }

    private static func files(below folder: String, depth: Int) -> [String] {
        guard depth < 4 else { return [] }
        return FolderContents.names(in: folder).flatMap { name in
            let path = "\(folder)/\(name)"
            return (try? FileFacts.of(path).get())?.isFolder == true ? files(below: path, depth: depth + 1) : [path]
        }
    }
}
