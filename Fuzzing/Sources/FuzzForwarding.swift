import GateAccess
import GateCore
import GateHTTP
import NIOCore
import NIOHTTP1

@testable import GateNet
@testable import GateProxy

/// The fields of a request on their way to an application: whatever a client sends, the application reads one request, in which only
/// we say who asks.
func fuzzForwarding(_ bytes: [UInt8]) {
    guard let head = requestHead(of: Array("GET /app/x HTTP/1.1\r\nHost: app.test\r\n".utf8) + bytes + Array("\r\n\r\n".utf8)),
        case .origin(let target) = head.target
    else { return }
    let origin = ForwardedHeaders.origin(of: head.headers, peer: Forwarding.peer, trusted: Forwarding.trusted)
    require(
        origin.host?.utf8.allSatisfy { Octet.isAuthority($0) && Octet.lowercased($0) == $0 } != false, "a host that is told of is one")
    let request = Request(
        id: RequestID(value: 1), method: head.method, target: target, headers: head.headers, peer: Forwarding.peer, client: origin.client,
        scheme: origin.scheme ?? .http, authority: origin.host ?? head.authority, version: head.version, upgrade: head.upgrade)
    guard var fields = try? Forwarding.rules.fields(of: AdmittedRequest(withholdingNothingOf: request)) else { return }
    fields.append(EncodedFields([("X-Gatehouse-User", "somebody")])!)
    let sent = Array("GET /x HTTP/1.1\r\nHost: app.test\r\n".utf8) + fields.bytes + Array("\r\n".utf8)
    guard let read = requestHead(of: sent, isOurs: true) else { return require(false, "what is sent can be read") }
    require(read.framing == .none && read.upgrade == nil, "the client's word frames nothing")
    for (name, value) in read.headers {
        let name = String(name.lowercased().map { $0 == "_" || $0 == "." ? "-" : $0 })
        require(!name.hasPrefix("x-gatehouse-") || value == "somebody", "only we say who asks")
        require(name != "x-forwarded-for" || value == origin.client.description, "one address, the checked one")
        require(!["connection", "te", "transfer-encoding", "content-length", "proxy"].contains(name), "nothing of the connection's passes")
    }
    require(read.headers["x-forwarded-for"].count == 1 && read.headers["forwarded"].count == 1, "each is said once")
}

private enum Forwarding {
    static let peer = IPAddress("10.0.0.1")!
    static let trusted = [IPNetwork("10.0.0.0/8")!]
    static let rules: RequestFieldRules = {
        var rules = UpstreamRules(servers: [.init(url: HTTPURL("http://127.0.0.1:3000")!)])
        rules.strippedPrefix = "/app"
        return RequestFieldRules(FieldChanges(), rules: rules)
    }()
}

/// The head of a request. What we add does not count under the limits of clients.
private func requestHead(of bytes: [UInt8], isOurs: Bool = false) -> RequestHead? {
    var limits = ServerLimits()
    if isOurs { (limits.headSize, limits.fieldSize, limits.fieldCount) = (.max, .max, .max) }
    var reader = RequestReader(limits: limits)
    var buffer = ByteBuffer(bytes: bytes)
    reader.append(&buffer)
    return try? reader.nextHead()
}

/// What an application says of where to go, in two lines: a `Location`, and a `Set-Cookie`.
func fuzzAnswer(_ bytes: [UInt8]) {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 1, omittingEmptySubsequences: false).map(Array.init)
    let request = Request(
        id: RequestID(value: 1), method: .GET, target: RequestTarget("/app/x")!, scheme: .https, authority: "app.test")
    if let rewrite = LocationRewrite(PathRewrite(stripped: "/app", added: []), for: request),
        let outside = lines[0].withUnsafeBytes(rewrite.outside)
    {
        require(outside.utf8.count <= lines[0].count + 5, "nothing but the prefix is added")
        require(Array(outside.utf8).withUnsafeBytes(rewrite.outside) == nil, "what is outside stays")
        let octets = outside.lowercased().utf8
        require(
            octets.starts(with: "/app/".utf8)
                || ["https://app.test", "http://app.test", "//app.test"].contains { octets.starts(with: $0.utf8) },
            "only our own host's paths are changed")
    }
    guard lines.count == 2 else { return }
    let cookie = SessionCookie(isSecure: true)
    let text = String(decoding: lines[1], as: UTF8.self)
    require(
        Array(text.utf8).withUnsafeBytes(cookie.isSet) == (HTTPHeaders([("cookie", sentBack(text))]).cookie(cookie.name) != nil),
        "what a browser would send as the session's cookie is known")
}

/// What a browser sends of a cookie that was set so (RFC 6265bis §5.6, §5.8.3).
private func sentBack(_ value: String) -> String {
    let pair = value.prefix { $0 != ";" }
    guard let equals = pair.firstIndex(of: "=") else { return String(pair.trimmingSpaces()) }
    let name = pair[..<equals].trimmingSpaces()
    let value = pair[pair.index(after: equals)...].trimmingSpaces()
    return name.isEmpty ? String(value) : "\(name)=\(value)"
}
