import Glibc

/// What is in a folder that is known by its path.
package enum FolderContents {
    /// Sorted, without `.` and `..`; none where it cannot be read.
    package static func names(in folder: String) -> [String] { read(folder) ?? [] }

    /// Sorted, without `.` and `..`; `nil` where it cannot be read, for the reason in `errno`.
    package static func read(_ folder: String) -> [String]? {
        guard let stream = opendir(folder) else { return nil }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Deletes `path` and what is beneath it, without following links. What cannot be deleted stays.
    package static func removeAll(_ path: String) {
        guard unlink(path) != 0, errno == EISDIR || errno == EPERM else { return }
        for name in names(in: path) { removeAll("\(path)/\(name)") }
        rmdir(path)
    }
}
