#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The file of a Unix socket.
enum UnixSocketFile {
    /// Longer paths do not fit into `sockaddr_un`, see unix(7).
    static let longestPath = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// Removes what a server that is gone left behind. Something that answers, and whatever is no socket, stays.
    static func clear(_ path: String) throws(ListenError) {
        let address = ListenerAddress.unix(path: path)
        guard !path.isEmpty, path.utf8.count <= longestPath, !path.utf8.contains(0) else {
            throw ListenError(address, .badPath, "the path of a Unix socket has 1 to \(longestPath) bytes")
        }
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return }
            throw ListenError(address, code: errno)
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw ListenError(address, .badPath, "something that is no socket is there; choose another path, or move it away")
        }
        guard !answers(path) else { throw ListenError(address, code: EADDRINUSE) }
        guard unlink(path) == 0 || errno == ENOENT else { throw ListenError(address, code: errno) }
    }

    /// A socket listening at `path` that only this user can connect to, from its first moment on.
    static func listen(_ path: String, backlog: Int) throws(ListenError) -> CInt {
        try clear(path)
        let address = ListenerAddress.unix(path: path)
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw ListenError(address, code: errno) }
        // bind(2) gives the file the modes of the socket itself, see unix(7): no umask, which all threads share, is needed.
        guard fchmod(descriptor, 0o600) == 0, withAddress(path, { bind(descriptor, $0, $1) }) == 0, chmod(path, 0o600) == 0,
            Glibc.listen(descriptor, CInt(backlog)) == 0
        else {
            let code = errno
            close(descriptor)
            throw ListenError(address, code: code)
        }
        return descriptor
    }

    /// Whether connect(2) finds somebody. Where it may not look, it assumes so.
    private static func answers(_ path: String) -> Bool {
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        return withAddress(path) { connect(descriptor, $0, $1) } == 0 || errno != ECONNREFUSED && errno != ENOENT
    }

    private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> CInt {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }
}
