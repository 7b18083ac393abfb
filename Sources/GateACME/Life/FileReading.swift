import Glibc

/// Reads whole files of bounded size, and folders.
enum FileReading {
    /// No certificate, key or record is near this size.
    static let largest = 4 << 20

    /// `nil` where nothing is at `path`.
    static func read(_ path: String) throws(StoreFailure) -> [UInt8]? {
        // Opening a pipe must not wait for whoever writes to it.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            guard errno != ENOENT, errno != ENOTDIR else { return nil }
            throw StoreFailure(path: path, operation: "open", code: errno)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw StoreFailure(path: path, operation: "examine", code: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw StoreFailure(path: path, problem: "is no file", cure: "name the file itself")
        }
        guard status.st_size <= largest else {
            throw StoreFailure(path: path, problem: "is larger than \(largest >> 20) MiB", cure: "name a PEM file")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(status.st_size) + 1)
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= largest {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw StoreFailure(path: path, operation: "read", code: errno) }
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        return bytes
    }

    /// Sorted; none where there is no such folder. One that cannot be read is not taken for an empty one.
    static func names(in folder: String) throws(StoreFailure) -> [String] {
        guard let stream = opendir(folder) else {
            guard errno != ENOENT else { return [] }
            throw StoreFailure(path: folder, operation: "list", code: errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            names.append(withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
            errno = 0
        }
        guard errno == 0 else { throw StoreFailure(path: folder, operation: "list", code: errno) }
        return names.sorted()
    }
}
