import CFiles

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
        OpenFile(taking: try FileFailure.check(files_open_folder(path, patience == .cached ? files_cached.rawValue : 0)))
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
        var lookup = files_beneath.rawValue
        if patience == .cached { lookup |= files_cached.rawValue }
        return OpenFile(taking: try FileFailure.check(files_open(root.descriptor, relative.isEmpty ? "." : relative, lookup)))
    }
}
