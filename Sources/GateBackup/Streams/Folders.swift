import GateCore
import Glibc

/// What is done with folders.
package enum Folders {
    /// Makes the folder, and those above it that are missing, with `0700`, and on disk.
    package static func make(_ path: String) throws(BackupError) {
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else { throw BackupError(.taken, "\(path) is not a folder") }
            return
        }
        let parent = parent(of: path)
        if parent != path { try make(parent) }
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .system("create the folder \(path)") }
        try flush(parent)
    }

    /// Puts the names in the folder on the disk.
    package static func flush(_ path: String) throws(BackupError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open the folder \(path)") }
        defer { close(descriptor) }
        // Some file systems have nothing to flush for a folder and say EINVAL, see fsync(2).
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw .system("write to the folder \(path)") }
    }

    /// The path of `name` in the folder, which may be written with a slash at its end.
    package static func path(of name: String, in folder: String) -> String {
        folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
    }

    package static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    package static func name(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }

    /// Whether anything is there, a link that leads nowhere too.
    package static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    /// What is in the folder, sorted; nothing where it is missing.
    package static func names(in path: String) throws(BackupError) -> [String] {
        if let names = FolderContents.read(path) { return names }
        guard errno == ENOENT else { throw .system("read the folder \(path)") }
        return []
    }

    package static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
