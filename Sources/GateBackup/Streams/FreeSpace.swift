import Glibc

/// Room on a disk, asked for before it is used: a backup that fills the disk would stop the server's writes.
package enum FreeSpace {
    /// Left to others, in bytes.
    private static let reserve: UInt64 = 1 << 20

    /// - Parameter needs: how many bytes will be written below which folder, at most. Those on one file system add up.
    /// - Throws: `.full`, naming what there is and what is needed.
    package static func require(_ needs: [(folder: String, bytes: Int)]) throws(BackupError) {
        var totals: [UInt64: (folder: String, needed: UInt64, free: UInt64)] = [:]
        for need in needs {
            var status = statvfs()
            guard statvfs(need.folder, &status) == 0 else { throw .system("look at \(need.folder)") }
            var file = stat()
            guard stat(need.folder, &file) == 0 else { throw .system("look at \(need.folder)") }
            let free = UInt64(status.f_bavail) * UInt64(status.f_frsize)
            totals[UInt64(file.st_dev), default: (need.folder, 0, free)].needed += UInt64(max(0, need.bytes))
        }
        for total in totals.values where total.free < total.needed + reserve {
            throw BackupError(
                .full,
                "\(total.folder) has \(megabytes(total.free)) free, and up to \(megabytes(total.needed + reserve)) may be needed: make room"
            )
        }
    }

    private static func megabytes(_ bytes: UInt64) -> String {
        bytes < 1 << 20 ? "\(bytes >> 10) KiB" : "\((bytes + (1 << 20) - 1) >> 20) MiB"
    }
}
