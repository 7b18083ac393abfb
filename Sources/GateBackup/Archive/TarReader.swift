/// Reads a tar archive, strictly: files under relative paths, and folders, which mean nothing. No links, no devices, no path that leads
/// elsewhere; so what it says can be written below a folder.
final class TarReader {
    private let source: any ByteSource
    private let buffer = IOBuffer()
    private var missing = 0
    private var padding = 0

    /// In bytes, of an extended header.
    private static let largestExtension = 64 << 10
    private static let longestPath = 1024

    struct Member: Hashable, Sendable {
        var path: String
        /// In bytes.
        var size: Int
    }

    init(_ source: any ByteSource) { self.source = source }

    /// The next file; what is left of the one before is passed over. `nil` at the end.
    func next() throws(BackupError) -> Member? {
        try skip()
        var records: [String: String] = [:]
        while let block = try block() {
            let header = try TarHeader(block)
            switch header.kind {
            case .extended:
                guard records.isEmpty, header.size <= Self.largestExtension else {
                    throw TarHeader.damaged("an extended header is too large")
                }
                records = try extended(header.size)
            case .folder:
                _ = try Self.checked(header.path.hasSuffix("/") ? String(header.path.dropLast()) : header.path, isFolder: true)
                records = [:]
            case .file:
                var member = Member(path: records["path"] ?? header.path, size: header.size)
                if let size = records["size"] {
                    guard let number = Int(size), number >= 0 else { throw TarHeader.damaged("a size is none") }
                    member.size = number
                }
                member.path = try Self.checked(member.path, isFolder: false)
                missing = member.size
                padding = Self.padding(member.size)
                return member
            }
        }
        guard records.isEmpty else { throw TarHeader.damaged("an extended header has no member") }
        return nil
    }

    /// Gives the content of the current member to `take`, in parts.
    func read(_ take: (UnsafeRawBufferPointer) throws(BackupError) -> Void) throws(BackupError) {
        while missing > 0 {
            let count = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer.bytes.prefix(missing)))
            guard count > 0 else { throw TarHeader.damaged("it is cut short") }
            missing -= count
            try take(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count]))
        }
    }

    private func skip() throws(BackupError) {
        try read { _ throws(BackupError) in }
        guard padding > 0 else { return }
        let rest = UnsafeMutableRawBufferPointer(rebasing: buffer.bytes.prefix(padding))
        guard try source.fill(rest) == padding else { throw TarHeader.damaged("it is cut short") }
        guard rest.allSatisfy({ $0 == 0 }) else { throw TarHeader.damaged("something stands between its members") }
        padding = 0
    }

    /// `nil` after the two empty blocks that end an archive; only more of them may follow, to fill a record.
    private func block() throws(BackupError) -> [UInt8]? {
        guard let block = try rawBlock() else { throw TarHeader.damaged("it is cut short") }
        guard block.allSatisfy({ $0 == 0 }) else { return block }
        guard let second = try rawBlock(), second.allSatisfy({ $0 == 0 }) else { throw TarHeader.damaged("its end is not marked") }
        while let more = try rawBlock() {
            guard more.allSatisfy({ $0 == 0 }) else { throw TarHeader.damaged("something follows its end") }
        }
        return nil
    }

    private func rawBlock() throws(BackupError) -> [UInt8]? {
        let room = UnsafeMutableRawBufferPointer(rebasing: buffer.bytes.prefix(TarHeader.blockSize))
        let count = try source.fill(room)
        guard count == TarHeader.blockSize || count == 0 else { throw TarHeader.damaged("it is cut short") }
        return count == 0 ? nil : Array(room)
    }

    /// Records of `LENGTH KEY=VALUE\n`.
    private func extended(_ size: Int) throws(BackupError) -> [String: String] {
        var bytes: [UInt8] = []
        missing = size
        padding = Self.padding(size)
        try read { part throws(BackupError) in bytes += part }
        try skip()
        var records: [String: String] = [:]
        var rest = bytes[...]
        while !rest.isEmpty {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            guard digits.count < 8, let length = Int(String(decoding: digits, as: UTF8.self)), length > digits.count + 1,
                length <= rest.count,
                rest[digits.endIndex] == 0x20
            else { throw TarHeader.damaged("an extended header is faulty") }
            let record = rest.prefix(length)
            guard record.last == 0x0A, let text = String(validating: record[(digits.endIndex + 1)...].dropLast(), as: UTF8.self),
                let sign = text.firstIndex(of: "=")
            else { throw TarHeader.damaged("an extended header is faulty") }
            records[String(text[..<sign])] = String(text[text.index(after: sign)...])
            rest = rest.dropFirst(length)
        }
        // One that says nothing would be taken for none.
        if records.isEmpty { throw TarHeader.damaged("an extended header is empty") }
        return records
    }

    /// Visible ASCII, relative, and no `..`. What `tar` puts before every path of a folder, `./`, is taken away.
    private static func checked(_ path: String, isFolder: Bool) throws(BackupError) -> String {
        let path = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
        if isFolder, path == "." || path.isEmpty { return path }
        let segments = path.split(separator: "/", omittingEmptySubsequences: false)
        guard path.utf8.count <= longestPath, path.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") }),
            segments.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." })
        else { throw TarHeader.damaged("a path in it leads elsewhere") }
        return path
    }

    private static func padding(_ size: Int) -> Int { (TarHeader.blockSize - size % TarHeader.blockSize) % TarHeader.blockSize }
}
