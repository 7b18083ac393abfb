import Glibc

extension BackupError {
    /// What a system call said.
    ///
    /// - Parameter operation: such as `write to /var/backups/x`.
    static func system(_ operation: String, _ code: Int32 = errno) -> BackupError {
        let kind: Kind =
            switch code {
            case ENOSPC, EDQUOT, EFBIG: .full
            case EACCES, EPERM, EROFS, ELOOP: .notPermitted
            case EEXIST, ENOTEMPTY: .taken
            case ENOENT, ENOTDIR: .missing
            default: .failed
            }
        return BackupError(kind, "cannot \(operation): \(String(cString: strerror(code)))")
    }
}
