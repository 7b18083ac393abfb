import Glibc
package import NIOHTTP1

/// Routes while they are being laid out. ``freeze()`` makes the form that is shared between event loops without a lock.
///
/// A pattern is a path whose segments are literal, or `{name}` for exactly one segment that is not empty, or, as the last,
/// `{name...}` for one segment or more. A literal wins over a parameter.
package struct RouterBuilder<Endpoint: Sendable> {
    private var root = RouteNode()
    private var endpoints: [Endpoint] = []

    package init() {}

    /// Adds a route. A second endpoint for the same method and pattern replaces the first.
    package mutating func add(_ method: HTTPMethod, _ pattern: String, _ endpoint: Endpoint) {
        var names: [String] = []
        root.insert(RouteTree.segments(of: pattern[...])[...], names: &names, method: method, endpoint: endpoints.count)
        endpoints.append(endpoint)
    }

    package func freeze() -> Router<Endpoint> { Router(tree: RouteTree(root: root), endpoints: endpoints) }
}

/// Finds the endpoint of a method and a path.
///
/// Paths are compared as they were sent, byte by byte: `//`, `/./`, `%2f` and a slash at the end are other paths, and not found.
package struct Router<Endpoint: Sendable>: Sendable {
    package enum Match {
        case found(Endpoint, RouteParameters)
        /// The path has endpoints, for these methods only.
        case methodNotAllowed([HTTPMethod])
        case notFound
    }

    private let tree: RouteTree
    private let endpoints: [Endpoint]

    fileprivate init(tree: RouteTree, endpoints: [Endpoint]) {
        self.tree = tree
        self.endpoints = endpoints
    }

    /// Whether ``match(_:_:)`` may find the path: a first look, which tells most paths that are not ours.
    package func mayHold(_ target: RequestTarget) -> Bool { target.withPath(tree.mayHold) }

    package func match(_ method: HTTPMethod, _ path: Substring) -> Match {
        switch tree.match(method, path) {
        case .found(let endpoint, let parameters): .found(endpoints[endpoint], parameters)
        case .methodNotAllowed(let methods): .methodNotAllowed(methods)
        case .notFound: .notFound
        }
    }
}

/// What a path had in the places of its pattern's parameters, as it was sent.
package struct RouteParameters: Sendable {
    fileprivate let names: [String]
    fileprivate let values: [Substring]

    package subscript(name: String) -> Substring? {
        names.firstIndex(of: name).map { values[$0] }
    }
}

/// The paths, and the numbers of their endpoints. Not generic, unlike the router around it: looking up the types of a generic router at
/// run time took longer than finding the route.
package final class RouteTree: Sendable {
    package enum Match {
        case found(Int, RouteParameters)
        case methodNotAllowed([HTTPMethod])
        case notFound
    }

    /// Paths without parameters, found with one look-up.
    private let literal: [Substring: RouteMethods]
    /// The first segments that there are, slash and all; empty where any may be. Most paths that are not ours are seen by their beginning.
    private let beginnings: [[UInt8]]
    /// Whether one of them has that octet behind its slash.
    private let initials: [Bool]
    private let root: RouteNode

    fileprivate init(root: RouteNode) {
        self.root = root
        var literal: [Substring: RouteMethods] = [:]
        root.collectLiteral(prefix: "", into: &literal)
        self.literal = literal
        beginnings = root.beginnings
        let initials = Set(beginnings.map { $0[1] })
        self.initials = (UInt8.min...UInt8.max).map(initials.contains)
    }

    package func match(_ method: HTTPMethod, _ path: Substring) -> Match {
        if let methods = literal[path] { return methods.match(method, values: []) }
        var values: [Substring] = []
        guard let methods = root.find(Self.segments(of: path)[...], values: &values) else { return .notFound }
        return methods.match(method, values: values)
    }

    fileprivate func mayHold(_ path: UnsafeBufferPointer<UInt8>) -> Bool {
        if beginnings.isEmpty { return true }
        guard path.count > 1, initials[Int(path[1])] else { return false }
        for beginning in beginnings where path.count >= beginning.count {
            guard memcmp(path.baseAddress!, beginning, beginning.count) == 0 else { continue }
            if path.count == beginning.count || path[beginning.count] == UInt8(ascii: "/") { return true }
        }
        return false
    }

    /// `/a/b` is `a`, `b`; `/a/` is `a` and an empty segment.
    fileprivate static func segments(of path: Substring) -> [Substring] {
        path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    }
}

private struct RouteMethods: Sendable {
    private struct Entry {
        let method: HTTPMethod
        let endpoint: Int
        let names: [String]
    }

    private var entries: [Entry] = []

    mutating func set(_ method: HTTPMethod, _ endpoint: Int, names: [String]) {
        entries.removeAll { $0.method == method }
        entries.append(Entry(method: method, endpoint: endpoint, names: names))
    }

    /// `HEAD` is answered by the endpoint of `GET` (RFC 9110 §9.3.2).
    func match(_ method: HTTPMethod, values: [Substring]) -> RouteTree.Match {
        guard let found = entry(method) ?? (method == .HEAD ? entry(.GET) : nil) else { return .methodNotAllowed(allowed) }
        return .found(found.endpoint, RouteParameters(names: found.names, values: values))
    }

    private func entry(_ method: HTTPMethod) -> Entry? { entries.first { $0.method == method } }

    private var allowed: [HTTPMethod] {
        var methods = entries.map(\.method)
        if methods.contains(.GET), !methods.contains(.HEAD) { methods.append(.HEAD) }
        return methods + [.OPTIONS]
    }
}

private struct RouteNode: Sendable {
    private var literals: [Substring: RouteNode] = [:]
    /// The node behind `{name}`; an array, for a struct cannot hold itself.
    private var parameter: [RouteNode] = []
    private var rest: RouteMethods?
    private var methods: RouteMethods?

    mutating func insert(_ segments: ArraySlice<Substring>, names: inout [String], method: HTTPMethod, endpoint: Int) {
        guard let first = segments.first else {
            methods = methods ?? RouteMethods()
            methods?.set(method, endpoint, names: names)
            return
        }
        if first.hasPrefix("{"), first.hasSuffix("...}") {
            names.append(String(first.dropFirst().dropLast(4)))
            rest = rest ?? RouteMethods()
            rest?.set(method, endpoint, names: names)
        } else if first.hasPrefix("{"), first.hasSuffix("}") {
            names.append(String(first.dropFirst().dropLast()))
            if parameter.isEmpty { parameter.append(RouteNode()) }
            parameter[0].insert(segments.dropFirst(), names: &names, method: method, endpoint: endpoint)
        } else {
            literals[first, default: RouteNode()].insert(segments.dropFirst(), names: &names, method: method, endpoint: endpoint)
        }
    }

    func find(_ segments: ArraySlice<Substring>, values: inout [Substring]) -> RouteMethods? {
        guard let first = segments.first else { return methods }
        if let next = literals[first], let found = next.find(segments.dropFirst(), values: &values) { return found }
        guard !first.isEmpty else { return nil }
        if let next = parameter.first {
            values.append(first)
            if let found = next.find(segments.dropFirst(), values: &values) { return found }
            values.removeLast()
        }
        guard let rest else { return nil }
        let last = segments.last ?? first
        values.append(first.base[first.startIndex..<last.endIndex])
        return rest
    }

    var beginnings: [[UInt8]] {
        // `/` itself is the route without segments, or with an empty one.
        guard parameter.isEmpty, rest == nil, methods == nil, literals[""] == nil else { return [] }
        return literals.keys.map { Array("/\($0)".utf8) }
    }

    func collectLiteral(prefix: String, into table: inout [Substring: RouteMethods]) {
        if let methods { table[prefix[...]] = methods }
        for (segment, node) in literals { node.collectLiteral(prefix: "\(prefix)/\(segment)", into: &table) }
    }
}
