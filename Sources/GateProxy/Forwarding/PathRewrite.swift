import GateHTTP

/// How the path that the client asked for becomes the one that the application is asked for. The rest of the target is passed on as it was
/// sent, byte by byte: what the access rule saw is what arrives (CHECKLIST 32).
final class PathRewrite: Sendable {
    private let stripped: PathPrefix?
    private let added: String

    /// - Parameters:
    ///   - stripped: taken off, where it covers the path.
    ///   - added: put before it; a slash at the end does not count.
    init(stripped: String?, added: [String?]) {
        self.stripped = stripped.flatMap { $0 == "/" ? nil : PathPrefix($0) }
        self.added = added.compactMap(\.self).map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }.joined()
        changesPaths = self.stripped != nil || !self.added.isEmpty
    }

    /// Whether the application's paths differ from the client's.
    let changesPaths: Bool

    func isSame(as other: PathRewrite) -> Bool { stripped == other.stripped && added == other.added }

    /// The path under which clients reach one of the application's own. `nil` where it stays as it is: it cannot be reached, or stands below
    /// the prefix already, for applications that heed `X-Forwarded-Prefix` write it so.
    func outside(_ path: Substring) -> String? {
        guard changesPaths, stripped?.covers(path) != true else { return nil }
        var rest = path
        if !added.isEmpty {
            guard PathPrefix(added).covers(path) else { return nil }
            rest = rest.dropFirst(added.count)
        }
        let whole = (stripped?.text ?? "") + rest
        return whole.isEmpty ? "/" : whole
    }

    func target(for target: RequestTarget) -> String {
        if !changesPaths { return target.raw }
        var rest = target.raw[...]
        if let stripped, stripped.covers(target.path) {
            rest = rest.dropFirst(stripped.text.count)
        } else if added.isEmpty {
            return target.raw
        }
        // `/app` and `/app?x` leave nothing, or only the query.
        let hasPath = rest.utf8.first == UInt8(ascii: "/")
        return hasPath ? added + rest : "\(added)/\(rest)"
    }
}
