import GateCore
import GateHTTP

/// A request's path as a path of files beneath a folder.
struct FolderPath: Hashable {
    /// Decoded; without a slash at its beginning or end. Empty for the folder itself.
    let relative: String
    /// It ended with a slash: a folder is meant.
    let meansFolder: Bool

    /// The folder itself, without a slash: what is left of a prefix that was taken off.
    static let bare = FolderPath(relative: "", meansFolder: false)

    private init(relative: String, meansFolder: Bool) {
        self.relative = relative
        self.meansFolder = meansFolder
    }

    /// `nil` for what no file that may be served can be called by: names that begin with a dot (but for `.well-known`, RFC 8615, as the
    /// first), empty ones, `%2F`, a backslash, control characters, what is not UTF-8, and an escape that is none.
    init?(_ path: Substring) {
        guard path.utf8.first == UInt8(ascii: "/") else { return nil }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(path.utf8.count)
        var octets = path.utf8.dropFirst()
        while let octet = octets.popFirst() {
            guard octet == UInt8(ascii: "%") else {
                guard octet != UInt8(ascii: "\\") else { return nil }
                decoded.append(octet)
                continue
            }
            guard let high = octets.popFirst().flatMap(Hex.value), let low = octets.popFirst().flatMap(Hex.value) else { return nil }
            let value = high << 4 | low
            guard value >= 0x20, value != 0x7F, value != UInt8(ascii: "/"), value != UInt8(ascii: "\\") else { return nil }
            decoded.append(value)
        }
        guard let text = String(validating: decoded, as: UTF8.self) else { return nil }
        meansFolder = text.isEmpty || text.utf8.last == UInt8(ascii: "/")
        relative = text.isEmpty || !meansFolder ? text : String(text.dropLast())
        guard !relative.isEmpty else {
            if !text.isEmpty { return nil }
            return
        }
        for (place, name) in relative.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).enumerated() {
            guard let first = name.first else { return nil }
            if first == UInt8(ascii: "."), !(place == 0 && Substring(name) == ".well-known") { return nil }
        }
    }
}
