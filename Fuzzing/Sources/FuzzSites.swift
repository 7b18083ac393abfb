import GateAccess
import GateCore
import GateHTTP
import NIOHTTP1

@testable import GateAPI
@testable import GateProxy

/// Which site a request is for: an authority in the first line, a path in the second, and in what is left how the application may read it.
///
/// However it reads the path, it must end at the site whose rule was asked (CHECKLIST 32).
func fuzzSites(_ bytes: [UInt8]) {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 2, omittingEmptySubsequences: false).map(Array.init)
    guard lines.count == 3, let target = RequestTarget(String(decoding: lines[1], as: UTF8.self)) else { return }
    let authority = String(decoding: lines[0], as: UTF8.self)
    guard case .site(let site) = Sites.table.find(authority: authority, path: target.path) else { return }
    require(Sites.routes[site].path.covers(target.path), "a site answers for its path")
    var read = Array(target.path.utf8)
    for step in lines[2].prefix(6) { read = Sites.readings[Int(step) % Sites.readings.count](read) }
    guard read.first == UInt8(ascii: "/") else { return }
    // Read as it is, without another look for what else it could mean.
    let literal = String(decoding: read, as: UTF8.self)
    let end = Sites.routes.indices.filter { Sites.routes[$0].path.covers(literal[...]) }.max {
        Sites.routes[$0].path.text.utf8.count < Sites.routes[$1].path.text.utf8.count
    }
    require(end == site, "no reading leads to another site: \(target.path) became \(literal)")
}

private enum Sites {
    static let routes = ["/", "/a", "/a/b", "/b/c", "/c/a/b"].map { path in
        SiteRoute(
            name: path, hosts: [.any, .exact("a.test"), .wildcard(suffix: ".a.test")], path: PathPrefix(path), target: .fixed(FixedAnswer())
        )
    }
    static let table = SiteTable(routes)

    /// What applications, frameworks and proxies do to paths.
    static let readings: [@Sendable ([UInt8]) -> [UInt8]] = [
        decoded,
        { $0.map { $0 == UInt8(ascii: "\\") ? UInt8(ascii: "/") : $0 } },
        { path in path.indices.filter { $0 == 0 || path[$0] != UInt8(ascii: "/") || path[$0 - 1] != UInt8(ascii: "/") }.map { path[$0] } },
        { segments($0).map { $0.prefix { $0 != UInt8(ascii: ";") } }.joined(separator: [UInt8(ascii: "/")]).map(\.self) },
        { Array($0.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }) },
        { path in
            var kept: [ArraySlice<UInt8>] = []
            for segment in segments(path) {
                if segment.elementsEqual("..".utf8) {
                    if kept.count > 1 { kept.removeLast() }
                } else if !segment.elementsEqual(".".utf8) {
                    kept.append(segment)
                }
            }
            return Array(kept.joined(separator: [UInt8(ascii: "/")]))
        },
        // C ends a text there.
        { Array($0.prefix { $0 != 0 }) },
    ]

    private static func segments(_ path: [UInt8]) -> [ArraySlice<UInt8>] {
        path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    }

    private static func decoded(_ path: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = path[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2, let high = Hex.value(of: rest[rest.startIndex]),
                let low = Hex.value(of: rest[rest.startIndex + 1])
            {
                bytes.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}

/// What another proxy tells of a request, a field in each line, and where somebody may be sent who signs in: the last one.
func fuzzForwardAuth(_ bytes: [UInt8]) {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    var headers = HTTPHeaders()
    for line in lines.dropLast() {
        guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")), line.utf8[..<colon].allSatisfy(Octet.isToken) else { continue }
        headers.add(name: String(line[..<colon]), value: String(line[line.index(after: colon)...].trimmingSpaces()))
    }
    let proxy = IPAddress("127.0.0.1")!
    let call = Request(
        id: RequestID(value: 1), method: .GET, target: RequestTarget("/api/v1/auth/verify")!, headers: headers, peer: proxy, client: proxy,
        authority: "app.test")
    if let asked = try? ForwardedQuestion(call, trusted: [IPNetwork("127.0.0.1/32")!]) {
        let told = asked.request
        let originals = headers["x-original-url"].map { HTTPURL($0)?.target ?? RequestTarget($0) }
        let uris = headers["x-forwarded-uri"].map { RequestTarget($0) }
        require((originals + uris).allSatisfy { $0 == told.target }, "all that tells of the path agrees on it")
        require(
            (headers["x-forwarded-method"] + headers["x-original-method"]).allSatisfy { $0 == told.method.rawValue }, "and on the method")
        require(told.authority.utf8.allSatisfy { Octet.isAuthority($0) }, "an authority is one")
        require(
            !headers.contains { IdentityFields.isReserved($0.name) && !IdentityFields.isPlainlySpelt($0.name) },
            "nobody passes with a field that only we may send")
    }
    guard let last = lines.last, let redirect = RedirectTarget(last, origins: ["https://app.test"]) else { return }
    let location = redirect.location
    let isAddress = location == "https://app.test" || ["/", "?", "#"].contains { location.hasPrefix("https://app.test\($0)") }
    let isPath = location.hasPrefix("/") && !location.hasPrefix("//") && !location.contains("\\")
    require(isAddress || isPath, "only our own origin and those that are listed")
}
