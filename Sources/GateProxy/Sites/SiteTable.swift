/// Finds the site of a request by its host and path. Made once for a configuration, and then only read.
///
/// The site with the most specific host (exact, then wildcard, then any) whose path covers the request's, and among those of one host
/// the one with the longest path: a site for a host need not say again what is the same for all of them.
package struct SiteTable: Sendable {
    package enum Match: Equatable, Sendable {
        /// The place of the site in the list that the table was made of.
        case site(Int)
        /// The path can be read in ways that lead to different sites, or out of one: to be refused.
        case ambiguous
        case none
    }

    private let exact: [Substring: PathList]
    /// By what follows the star, with its dot.
    private let wildcard: [Substring: PathList]
    private let any: PathList

    package init(_ routes: [SiteRoute]) {
        var exact: [String: PathList] = [:]
        var wildcard: [String: PathList] = [:]
        var any = PathList()
        for (place, route) in routes.enumerated() {
            for host in route.hosts {
                switch host {
                case .exact(let name): exact[name, default: PathList()].insert(route.path, place)
                case .wildcard(let suffix): wildcard[suffix, default: PathList()].insert(route.path, place)
                case .any: any.insert(route.path, place)
                }
            }
        }
        // What a more general pattern has stands behind: one look-up by host is enough then.
        self.wildcard = Dictionary(uniqueKeysWithValues: wildcard.map { ($0[...], $1 + any) })
        var whole: [Substring: PathList] = [:]
        for (name, list) in exact {
            let inherited = Self.suffix(of: name[...]).flatMap { wildcard[String($0)] } ?? PathList()
            whole[name[...]] = list + inherited + any
        }
        self.exact = whole
        self.any = any
    }

    /// - Parameters:
    ///   - authority: lower case, with or without a port.
    ///   - path: as it was sent.
    package func find(authority: String, path: Substring) -> Match {
        path.utf8.withContiguousStorageIfAvailable { find(authority: authority, path: $0) }
            ?? Array(path.utf8).withUnsafeBufferPointer { find(authority: authority, path: $0) }
    }

    /// As ``find(authority:path:)``, of the path's octets.
    func find(authority: String, path: UnsafeBufferPointer<UInt8>) -> Match {
        let list = paths(of: authority)
        let literal = list.find(path)
        switch PathReading(path) {
        case .literal: break
        case .climbing: return .ambiguous
        case .many: if list.count > 1 { return .ambiguous }
        case .loose(let reading): if reading.withUnsafeBufferPointer(list.find) != literal { return .ambiguous }
        }
        return literal.map { .site($0) } ?? .none
    }

    /// Whether a site is for that host, whatever the path. Sites for any host do not count.
    package func names(_ host: String) -> Bool { paths(byName: HostPattern.host(of: host)) != nil }

    private func paths(of authority: String) -> PathList {
        if exact.isEmpty && wildcard.isEmpty { return any }
        return paths(byName: HostPattern.host(of: authority)) ?? any
    }

    private func paths(byName host: Substring) -> PathList? {
        exact[host] ?? Self.suffix(of: host).flatMap { wildcard[$0] }
    }

    /// `.example.com` of `app.example.com`.
    private static func suffix(of host: Substring) -> Substring? {
        host.utf8.firstIndex(of: UInt8(ascii: ".")).flatMap { $0 == host.startIndex ? nil : host[$0...] }
    }
}

/// The paths of a host's sites, in the order in which they are tried.
private struct PathList: Sendable {
    private var entries: [(prefix: [UInt8], site: Int)] = []

    var count: Int { entries.count }

    mutating func insert(_ path: PathPrefix, _ site: Int) {
        let prefix = path.text == "/" ? [] : Array(path.text.utf8)
        let place = entries.firstIndex { $0.prefix.count < prefix.count } ?? entries.count
        entries.insert((prefix, site), at: place)
    }

    static func + (first: PathList, second: PathList) -> PathList {
        var sum = first
        sum.entries += second.entries
        return sum
    }

    func find(_ path: UnsafeBufferPointer<UInt8>) -> Int? {
        for entry in entries where Self.covers(entry.prefix, path) { return entry.site }
        return nil
    }

    /// As ``PathPrefix/covers(_:)``.
    private static func covers(_ prefix: [UInt8], _ path: UnsafeBufferPointer<UInt8>) -> Bool {
        guard path.count >= prefix.count else { return false }
        for index in prefix.indices where prefix[index] != path[index] { return false }
        return prefix.isEmpty || path.count == prefix.count || path[prefix.count] == UInt8(ascii: "/")
    }
}
