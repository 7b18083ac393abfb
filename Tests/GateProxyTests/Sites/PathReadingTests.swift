import GateAccess
import GateHTTP
import GateTesting
import Testing

@testable import GateProxy

/// Whatever an application does to a path, and in whatever order, it ends at the site whose rule was asked.
@Suite("Paths as others read them")
struct PathReadingTests {
    /// What applications, frameworks and proxies do to paths.
    private static let readers: [@Sendable (String) -> String] = [
        decoded, { $0.replacing("\\", with: "/") },
        { path in
            var path = path
            while path.contains("//") { path = path.replacing("//", with: "/") }
            return path
        },
        { cut($0, at: ";") }, { String($0.prefix { $0 != "?" && $0 != "#" }) }, withoutDots,
        // Only the first of several slashes or percent signs.
        { path in path.firstRange(of: "//").map { path.replacingSubrange($0, with: "/") } ?? path },
        { path in
            path.firstRange(of: "%").map {
                String(path[..<$0.lowerBound]) + decoded(String(path[$0.lowerBound...].prefix(3))) + path[$0.lowerBound...].dropFirst(3)
            } ?? path
        },
    ]

    private static func decoded(_ path: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(path.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func cut(_ path: String, at mark: Character) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false).map { $0.prefix { $0 != mark } }.joined(separator: "/")
    }

    private static func withoutDots(_ path: String) -> String {
        var kept: [Substring] = []
        for segment in path.split(separator: "/", omittingEmptySubsequences: false) {
            switch segment {
            case ".": break
            case "..": if kept.count > 1 { kept.removeLast() }
            default: kept.append(segment)
            }
        }
        return kept.joined(separator: "/")
    }

    private static let pieces = [
        "/", "/", "/", "//", "a", "b", "c", "x", "%61", "%62", "%2f", "%2F", "%5c", "\\", ";", "%3b", "%3f", "%23", ".", "..", "%2e",
        "%252e", "%252f", "%2561",
        "%25", "%", "2f", "61", "%00",
    ]

    private static let sites = ["/", "/a", "/a/b", "/b/c", "/c/a/b"].map { path in
        SiteRoute(name: path, hosts: [.any], path: PathPrefix(path), target: .fixed(FixedAnswer()))
    }

    @Test("CHECKLIST 32: no order of readings leads to another site than the one that was asked", arguments: 1...8)
    func anyOrder(seed: UInt64) throws {
        var generator = SplitMix(seed: seed)
        let table = SiteTable(Self.sites)
        var admitted = 0
        for _ in 0..<20_000 {
            let path =
                "/" + (0..<Int.random(in: 1...9, using: &generator)).map { _ in Self.pieces.randomElement(using: &generator)! }.joined()
            guard RequestTarget(path) != nil, case .site(let site) = table.find(authority: "", path: path[...]) else { continue }
            admitted += 1
            var read = path
            for _ in 0..<Int.random(in: 1...6, using: &generator) { read = Self.readers.randomElement(using: &generator)!(read) }
            let end = Self.sites.indices.filter { Self.sites[$0].path.covers(read[...]) }.max {
                Self.sites[$0].path.text.count < Self.sites[$1].path.text.count
            }
            // What has lost its first slash is no path of any site.
            #expect(end == site || !read.hasPrefix("/"), "\(path) became \(read)")
        }
        #expect(admitted > 1000)
    }
}

extension String {
    fileprivate func replacingSubrange(_ range: Range<Index>, with text: String) -> String {
        var changed = self
        changed.replaceSubrange(range, with: text)
        return changed
    }
}
