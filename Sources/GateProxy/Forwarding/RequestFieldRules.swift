import GateCore
import GateHTTP
import NIOHTTP1

/// What an application gets of a request's header fields.
///
/// In this order: fields that are between the client and us, and those that `Connection` names, are left out (RFC 9110 §7.6.1), as are those
/// that only we may say; ours are added; the operator's changes are made. The identity fields come behind that, from elsewhere, so that
/// nothing here can take them away or stand beside them (CHECKLIST 30).
struct RequestFieldRules: Sendable {
    enum Fault: Error, Hashable {
        /// A name or a value that no field can have.
        case malformed
        /// It has been through this gateway before, again and again: a site's upstream is the gateway itself.
        case loop
    }

    /// How often a request may come by: gateways in a row are no loop.
    private static let mostVisits = 4
    private static let pseudonym = "gatehouse"

    /// Names that the operator removes or sets.
    private let changed: FieldNameSet
    private let added: [UInt8]
    /// What the application doesn't see of the path, for it to make links with.
    private let prefix: String?
    private let authority: UpstreamRules.Authority

    init(_ changes: FieldChanges, rules: UpstreamRules) {
        let set = changes.set.filter { FieldChanges.isSettable($0.name) }
        changed = FieldNameSet(changes.removed + set.map(\.name))
        added = EncodedFields(set)?.bytes ?? []
        prefix = rules.strippedPrefix.flatMap { $0 == "/" ? nil : $0 }
        authority = changes.set.last { $0.name.lowercased() == "host" }.map { .fixed($0.value) } ?? rules.authority
    }

    /// What `Host` says; `nil` for that of the server's URL.
    func authority(for request: Request) -> String? {
        switch authority {
        case .client: request.authority.isEmpty ? nil : request.authority
        case .upstream: nil
        case .fixed(let name): name
        }
    }

    /// - Parameter webSocketKey: for an upgrade that came without one, see ``WebSocketHandshake``.
    func fields(of request: Request, webSocketKey: String? = nil) throws(Fault) -> EncodedFields {
        var named = FieldNameSet()
        var size = 512
        for (name, value) in request.headers {
            size += name.utf8.count + value.utf8.count + 4
            if name.utf8.count == 10, name.lowercased() == "connection" {
                named = FieldNameSet(connectionOptions: request.headers[canonicalForm: "connection"].map(String.init))
            }
        }
        var lines = FieldLines(capacity: size)
        var via: [String] = []
        for (name, value) in request.headers {
            var name = name
            name.withUTF8 { octets in
                let octets = UnsafeRawBufferPointer(octets)
                switch Self.part(of: octets) {
                case .passedOn where named.isEmpty || !named.contains(octets):
                    if changed.isEmpty || !changed.contains(octets) { lines.append(name: octets, value: value) }
                case .via: via.append(value)
                default: break
                }
            }
        }
        try addOurs(request, via: via, to: &lines)
        if let webSocketKey { lines.append("Sec-WebSocket-Key", webSocketKey) }
        lines.append(lines: added)
        guard let encoded = lines.encoded else { throw .malformed }
        return encoded
    }

    private func addOurs(_ request: Request, via: [String], to lines: inout FieldLines) throws(Fault) {
        func isOurs(_ name: StaticString) -> Bool { changed.isEmpty || !changed.contains(name) }
        let client = request.client?.description
        // One address, checked against the trusted proxies: an application may take the list's left end or its right one.
        if let client {
            if isOurs("x-forwarded-for") { lines.append("X-Forwarded-For", client) }
            if isOurs("x-real-ip") { lines.append("X-Real-IP", client) }
        }
        if isOurs("x-forwarded-proto") { lines.append("X-Forwarded-Proto", request.scheme.rawValue) }
        if !request.authority.isEmpty, isOurs("x-forwarded-host") { lines.append("X-Forwarded-Host", request.authority) }
        if let prefix, isOurs("x-forwarded-prefix") { lines.append("X-Forwarded-Prefix", prefix) }
        if isOurs("forwarded") { addForwarded(request, client: client, to: &lines) }
        if isOurs("x-request-id") { lines.append("X-Request-Id", request.id.description) }
        if isOurs("via") {
            lines.begin("Via")
            if !via.isEmpty {
                let visits = via.flatMap { $0.split(separator: ",") }.count { $0.trimmingSpaces().hasSuffix(" \(Self.pseudonym)") }
                guard visits < Self.mostVisits else { throw .loop }
                for value in via {
                    lines.append(value: value)
                    lines.append(", ")
                }
            }
            lines.append(value: request.version.rawValue)
            lines.append(" gatehouse")
            lines.end()
        }
    }

    /// RFC 7239 §4 and §6: an IPv6 address stands in brackets and quotation marks, a host with a port in quotation marks.
    private func addForwarded(_ request: Request, client: String?, to lines: inout FieldLines) {
        lines.begin("Forwarded")
        lines.append("for=")
        if let client {
            let isIPv6 = client.utf8.contains(UInt8(ascii: ":"))
            if isIPv6 { lines.append("\"[") }
            lines.append(value: client)
            if isIPv6 { lines.append("]\"") }
        } else {
            lines.append("unknown")
        }
        lines.append(";proto=")
        lines.append(value: request.scheme.rawValue)
        let host = request.authority
        if !host.isEmpty, host.utf8.allSatisfy({ $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
            let isToken = host.utf8.allSatisfy(FieldLines.isToken)
            lines.append(";host=")
            if !isToken { lines.append("\"") }
            lines.append(value: host)
            if !isToken { lines.append("\"") }
        }
        lines.end()
    }

    enum Part: Hashable {
        case passedOn
        case dropped
        case via
    }

    /// What becomes of a field by its name alone.
    static func part(of name: UnsafeRawBufferPointer) -> Part {
        func reads(_ other: StaticString) -> Bool { FieldName.reads(name, as: other) }
        if reads("via") { return .via }
        let isDropped =
            switch name.count {
            case 2: reads("te")
            case 4: reads("host")
            // CGI would make it HTTP_PROXY, through which libraries send what the application asks of others (CVE-2016-5385).
            case 5: reads("proxy")
            case 6: reads("expect")
            case 7: reads("upgrade")
            case 9: reads("forwarded") || reads("x-real-ip")
            case 10: reads("connection") || reads("keep-alive")
            case 12: reads("x-request-id")
            // Some frameworks take their path from these: not the one that the access rule saw (CHECKLIST 32).
            case 13: reads("x-rewrite-url")
            case 14: reads("content-length") || reads("x-original-url") || reads("x-original-uri") || reads("http2-settings")
            case 16: reads("proxy-connection")
            case 17: reads("transfer-encoding")
            case 18: reads("proxy-authenticate")
            case 19: reads("proxy-authorization")
            default: false
            }
        if isDropped { return .dropped }
        guard name.count > 12, FieldName.canonical(name[0]) == UInt8(ascii: "x"), FieldName.canonical(name[1]) == UInt8(ascii: "-") else {
            return .passedOn
        }
        return FieldName.begins(name, with: "x-forwarded-") || FieldName.begins(name, with: "x-gatehouse-") ? .dropped : .passedOn
    }
}
