/// The 512 bytes before each member (POSIX.1-2017, pax, ustar interchange format). Sizes are in bytes.
struct TarHeader: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case file
        case folder
        /// Fields for the member that follows.
        case extended
    }

    static let blockSize = 512
    /// What 11 octal digits hold.
    static let largestSize = 0o777_7777_7777

    var path: String
    var size: Int
    var kind: Kind
    /// In seconds since 1970.
    var modified: Int64

    /// `nil` where the path or the size does not fit: an extended header says it then.
    var block: [UInt8]? {
        guard size <= Self.largestSize, modified >= 0, modified <= Self.largestSize, let (prefix, name) = split else { return nil }
        var block = [UInt8](repeating: 0, count: Self.blockSize)
        func put(_ text: String, _ place: Int) { block.replaceSubrange(place..<place + text.utf8.count, with: text.utf8) }
        put(name, 0)
        put("0000600\0", 100)
        put("0000000\0", 108)
        put("0000000\0", 116)
        put(Self.octal(size, digits: 11) + "\0", 124)
        put(Self.octal(Int(modified), digits: 11) + "\0", 136)
        put("        ", 148)
        block[156] = UInt8(ascii: kind == .extended ? "x" : "0")
        put("ustar\u{0}00", 257)
        put("root", 265)
        put("root", 297)
        put(prefix, 345)
        put(Self.octal(Self.checksum(block), digits: 6) + "\0 ", 148)
        return block
    }

    private var split: (prefix: String, name: String)? {
        if path.utf8.count <= 100 { return ("", path) }
        for slash in path.indices where path[slash] == "/" {
            let name = path[path.index(after: slash)...]
            if name.utf8.count <= 100, !name.isEmpty, path[..<slash].utf8.count <= 155 { return (String(path[..<slash]), String(name)) }
        }
        return nil
    }

    private static func octal(_ value: Int, digits: Int) -> String {
        let text = String(value, radix: 8)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }

    private static func checksum(_ block: [UInt8]) -> Int {
        block.indices.reduce(0) { $0 + ((148..<156).contains($1) ? 0x20 : Int(block[$1])) }
    }
}

extension TarHeader {
    /// Reads the header of a file, a folder or an extended header, in POSIX's or in GNU's form.
    ///
    /// - Throws: `.damaged`; also for links, devices and everything else that no backup has.
    init(_ block: [UInt8]) throws(BackupError) {
        let magic = String(decoding: block[257..<265], as: UTF8.self)
        guard magic == "ustar\u{0}00" || magic == "ustar  \u{0}" else { throw Self.damaged("it is no tar archive") }
        guard try Self.number(block[148..<156]) == Self.checksum(block) else { throw Self.damaged("a checksum is wrong") }
        switch block[156] {
        case UInt8(ascii: "0"), 0: kind = .file
        case UInt8(ascii: "5"): kind = .folder
        case UInt8(ascii: "x"): kind = .extended
        default: throw Self.damaged("it holds what is no file")
        }
        size = try Self.number(block[124..<136])
        modified = Int64(try Self.number(block[136..<148]))
        let name = try Self.text(block[0..<100])
        // GNU's form has other things where POSIX has the prefix.
        let prefix = magic == "ustar\u{0}00" ? try Self.text(block[345..<500]) : ""
        path = prefix.isEmpty ? name : "\(prefix)/\(name)"
        guard kind != .folder || size == 0 else { throw Self.damaged("a folder has a size") }
    }

    static func damaged(_ what: String) -> BackupError { BackupError(.damaged, "the archive is damaged: \(what)") }

    private static func text(_ field: ArraySlice<UInt8>) throws(BackupError) -> String {
        guard let text = String(validating: field.prefix { $0 != 0 }, as: UTF8.self) else { throw damaged("a name is no text") }
        return text
    }

    /// Octal digits, spaces before them, a space or NUL after them.
    private static func number(_ field: ArraySlice<UInt8>) throws(BackupError) -> Int {
        let digits = field.drop { $0 == 0x20 }.prefix { (0x30...0x37).contains($0) }
        let isEnded = field[digits.endIndex...].allSatisfy { $0 == 0 || $0 == 0x20 }
        guard isEnded, digits.count <= 12, let value = digits.isEmpty ? 0 : Int(String(decoding: digits, as: UTF8.self), radix: 8) else {
            throw damaged("a number is none")
        }
        return value
    }
}
