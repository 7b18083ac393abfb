import GateCore
import Glibc

/// A file of configuration, read whole.
struct TextFile {
    let text: String
    /// Whether everyone on the machine can read it.
    let isReadableByOthers: Bool

    /// The problem of a path where nothing is.
    static let missing = "does not exist"

    /// No configuration is near this size; a device or a database file would fill the memory.
    private static let largest = 1 << 20

    /// - Throws: a fault that names the path.
    init(path: String) throws(ConfigurationFault) {
        func fault(_ problem: String, _ cure: String) -> ConfigurationFault {
            ConfigurationFault(.file(path, line: 0, column: 0), problem, cure: cure)
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            switch errno {
            case ENOENT, ENOTDIR: throw fault(Self.missing, "check the path, or leave the option out")
            case EACCES, EPERM: throw fault("may not be read by this user", "give the user that runs gatehouse the right to read it")
            default: throw fault("cannot be opened (\(String(cString: strerror(errno))))", "check the path")
            }
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw fault("cannot be examined", "check the path") }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw fault("is a folder", "name the file inside it") }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw fault("cannot be read (\(String(cString: strerror(errno))))", "check the file and its disk") }
            if count == 0 { break }
            bytes += chunk[..<count]
            guard bytes.count <= Self.largest else { throw fault("is larger than 1 MiB", "name a configuration file") }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            let line = 1 + Self.validPrefix(of: bytes).count { $0 == UInt8(ascii: "\n") }
            throw ConfigurationFault(.file(path, line: line, column: 1), "is not UTF-8", cure: "save the file as UTF-8")
        }
        self.text = text
        isReadableByOthers = status.st_mode & S_IROTH != 0
    }

    /// Up to the first line that is not UTF-8.
    private static func validPrefix(of bytes: [UInt8]) -> ArraySlice<UInt8> {
        var end = 0
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            guard String(validating: line, as: UTF8.self) != nil else { break }
            end = line.endIndex
        }
        return bytes[..<min(end + 1, bytes.count)]
    }
}
