import Glibc

/// The user that a data folder belongs to, and that what is written there has to belong to as well.
package enum DataFolderOwner {
    /// Makes root that user, with its groups: a file that root left in the folder would be closed to the server, and so would be
    /// the write-ahead log that root's connection makes.
    ///
    /// What only root can read has to be open by now. Nothing happens where the process is not root's, the folder is root's, or
    /// there is no folder yet.
    ///
    /// - Throws: `CommandFailure` where the kernel refuses; then the folder must not be touched.
    package static func become(of folder: String) throws(CommandFailure) {
        var status = stat()
        guard geteuid() == 0, stat(folder.isEmpty ? "." : folder, &status) == 0, status.st_uid != 0 else { return }
        // The C library does it in all threads, see nptl(7). The real ids stay: nobody but root may look into this process.
        let group = primaryGroup(of: status.st_uid) ?? status.st_gid
        let changed = setGroups(of: status.st_uid, group) && setegid(group) == 0 && seteuid(status.st_uid) == 0
        guard changed, geteuid() == status.st_uid else {
            throw CommandFailure(
                .permission,
                "\(folder) belongs to the user \(status.st_uid), which this process cannot become (\(String(cString: strerror(errno)))): "
                    + "run the command as that user")
        }
    }

    /// Runs `body` as who gave the command, for a file that is to be elsewhere.
    ///
    /// - Throws: what `body` throws; `CommandFailure` where the process cannot become the owner again.
    package static func asOperator<Result>(_ body: () throws -> Result) throws -> Result {
        let (user, group) = (geteuid(), getegid())
        guard user != 0, getuid() == 0, seteuid(0) == 0, setegid(getgid()) == 0 else { return try body() }
        let result = Swift.Result { try body() }
        guard setegid(group) == 0, seteuid(user) == 0 else {
            throw CommandFailure(.permission, "this process cannot become the user \(user) again (\(String(cString: strerror(errno))))")
        }
        return try result.get()
    }

    /// - Throws: `CommandFailure` where root would serve from a folder of another user, who could not use it any more.
    package static func refuseRoot(on folder: String) throws(CommandFailure) {
        var status = stat()
        guard geteuid() == 0, stat(folder.isEmpty ? "." : folder, &status) == 0, status.st_uid != 0 else { return }
        let name = userName(status.st_uid) ?? "\(status.st_uid)"
        throw CommandFailure(
            .permission,
            "\(folder) belongs to \(name), and files that root makes there would be closed to that user: serve as \(name) "
                + "(runuser -u \(name) -- gatehouse serve …; the packaged service does), or give the folder to root")
    }

    private static func setGroups(of user: uid_t, _ group: gid_t) -> Bool {
        if let name = userName(user) { return initgroups(name, group) == 0 }
        var one = group
        return setgroups(1, &one) == 0
    }

    private static func primaryGroup(of user: uid_t) -> gid_t? { withEntry(of: user) { $0.pw_gid } }

    private static func userName(_ user: uid_t) -> String? { withEntry(of: user) { String(cString: $0.pw_name) } }

    /// The user's line of passwd(5), `nil` where there is none: the user may be gone while its files are still there.
    private static func withEntry<Result>(of user: uid_t, _ body: (passwd) -> Result) -> Result? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16_384) { buffer in
            var entry = passwd()
            var found: UnsafeMutablePointer<passwd>?
            guard getpwuid_r(user, &entry, buffer.baseAddress!, buffer.count, &found) == 0, found != nil else { return nil }
            return body(entry)
        }
    }
}
