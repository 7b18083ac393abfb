import CFiles

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A folder and what lies beneath it, and nothing else: no `..`, no symbolic link leads out of it, whoever renames what meanwhile
/// (`RESOLVE_BENEATH`, see openat2(2); Linux 5.6).
package struct FolderTree: Sendable {
    /// How far opening may go.
    package enum Patience: Sendable {
        /// Only what needs no disk and crosses no mount point, behind which a network may be (`RESOLVE_CACHED`; Linux 5.12).
        case cached
        case patient
    }

    package let path: String

    /// - Parameter path: absolute. It is looked up anew for each file, so the folder may be replaced, or a link to it turned, at any time.
    package init(_ path: String) { self.path = path }

    /// The folder itself, for a look at it.
    package func openRoot(_ patience: Patience = .patient) throws(FileFailure) -> OpenFile {
        let resolve = patience == .cached ? UInt64(RESOLVE_CACHED) : 0
        return try Self.open(AT_FDCWD, path, flags: UInt64(files_o_path) | UInt64(O_DIRECTORY | O_CLOEXEC), resolve: resolve)
    }

    /// Opens what is at `relative` for reading. A FIFO is not waited for; what was opened need be neither file nor folder.
    ///
    /// - Parameter relative: any bytes but zero, not beginning with a slash.
    /// - Throws: ``FileFailure``, with `EXDEV` for a path out of the folder; where `patience` is not enough, `EAGAIN` or `EXDEV`.
    package func open(_ relative: String, _ patience: Patience) throws(FileFailure) -> OpenFile {
        let root = try openRoot(patience)
        return try open(relative, in: root, patience)
    }

    /// The same, for several paths in one folder.
    ///
    /// - Parameter root: what ``openRoot(_:)`` gave.
    package func open(_ relative: String, in root: OpenFile, _ patience: Patience) throws(FileFailure) -> OpenFile {
        var resolve = UInt64(RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS)
        if patience == .cached { resolve |= UInt64(RESOLVE_CACHED | RESOLVE_NO_XDEV) }
        return try Self.open(
            root.descriptor, relative.isEmpty ? "." : relative, flags: UInt64(O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC),
            resolve: resolve)
    }

    private static func open(_ folder: CInt, _ path: String, flags: UInt64, resolve: UInt64) throws(FileFailure) -> OpenFile {
        while true {
            let descriptor = files_openat2(folder, path, flags, resolve)
            // EAGAIN without RESOLVE_CACHED says that somebody renamed something meanwhile.
            if descriptor == -EINTR || descriptor == -EAGAIN && resolve & UInt64(RESOLVE_CACHED) == 0 { continue }
            return OpenFile(taking: try FileFailure.check(descriptor))
        }
    }
}
