import GateAccess
import GateCore
import GateHTTP
import NIOHTTP1

/// What an application gets of a request's header fields.
///
/// In this order: fields that are between the client and us, and those that `Connection` names, are left out (RFC 9110 §7.6.1), as are those
/// that only we may say; ours are added; the operator's changes are made. The identity fields come behind that, from elsewhere, so that
/// nothing here can take them away or stand beside them (CHECKLIST 30).
final class RequestFieldRules: Sendable {
    enum Fault: Error, Hashable {
        /// A name or a value that no field can have.
        case malformed
        /// It has been through this gateway before, again and again: a site's upstream is the gateway itself.
        case loop
    }

    /// How often a request may come by: gateways in a row are no loop.
    private static let mostVisits = 4

    /// Names that the operator removes or sets.
    private let changed: FieldNameSet
    private let added: [UInt8]
    /// What the application doesn't see of the path, for it to make links with.
    private let prefix: String?
    private let authority: UpstreamRules.Authority
    private let pseudonym: ViaPseudonym

    init(_ changes: FieldChanges, rules: UpstreamRules, pseudonym: ViaPseudonym = .common) {
        self.pseudonym = pseudonym
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
    func fields(of admitted: AdmittedRequest, webSocketKey: String? = nil) throws(Fault) -> EncodedFields {
        let request = admitted.arrived
        var named = FieldNameSet()
        var via: [String] = []
        var size = Self.fixedSize + added.count + request.authority.utf8.count * 2 + (prefix?.utf8.count ?? 0)
        admitted.forEachField { name, value in
            let length = name.utf8.count
            size += length + value.utf8.count + 4
            if length == 10, Self.reads(name, as: "connection") {
                let options = FieldNameSet(connectionOptions: CollectionOfOne(value))
                if !options.isEmpty { named.formUnion(options) }
            } else if length == 3, Self.reads(name, as: "via") {
                via.append(value)
            }
        }
        if !via.isEmpty, ViaPseudonym.common.visits(in: via) >= Self.mostVisits { throw .loop }
        let encoded = FieldLines.encode(capacity: size) { lines in
            admitted.forEachField { name, value in
                var name = name
                name.withUTF8 { octets in
                    let octets = UnsafeRawBufferPointer(octets)
                    guard Self.part(of: octets) == .passedOn, named.isEmpty || !named.contains(octets),
                        changed.isEmpty || !changed.contains(octets)
                    else { return }
                    lines.append(name: octets, value: value)
                }
            }
            addOurs(request, via: via, to: &lines)
            if let webSocketKey { lines.append("Sec-WebSocket-Key", webSocketKey) }
            lines.append(lines: added)
        }
        guard let encoded else { throw .malformed }
        return encoded
    }

    /// More than all that is written besides the request's own fields, its authority and the operator's fields takes: the longest lines.
    private static let fixedSize = 640

    private func addOurs(_ request: Request, via: [String], to lines: inout FieldLines) {
        // One address, checked against the trusted proxies: an application may take the list's left end or its right one.
        if let client = request.client {
            if isOurs("x-forwarded-for") {
                lines.append("X-Forwarded-For: ")
                lines.append(client)
                lines.end()
            }
            if isOurs("x-real-ip") {
                lines.append("X-Real-IP: ")
                lines.append(client)
                lines.end()
            }
        }
        if isOurs("x-forwarded-proto") {
            lines.append(request.scheme == .https ? "X-Forwarded-Proto: https\r\n" : "X-Forwarded-Proto: http\r\n")
        }
        if !request.authority.isEmpty, isOurs("x-forwarded-host") { lines.append("X-Forwarded-Host", request.authority) }
        if let prefix, isOurs("x-forwarded-prefix") { lines.append("X-Forwarded-Prefix", prefix) }
        if isOurs("forwarded") { addForwarded(request, to: &lines) }
        if isOurs("x-request-id") {
            lines.append("X-Request-Id: ")
            lines.append(request.id)
            lines.end()
        }
        if isOurs("via") {
            lines.append("Via: ")
            for value in via {
                lines.append(value: value)
                lines.append(", ")
            }
            switch request.version {
            case .http10: lines.append("1.0 ")
            case .http11: lines.append("1.1 ")
            case .http2: lines.append("2 ")
            }
            lines.append(value: pseudonym.text)
            lines.end()
        }
    }

    @inline(__always)
    private func isOurs(_ name: StaticString) -> Bool { changed.isEmpty || !changed.contains(name) }

    /// RFC 7239 §4 and §6: an IPv6 address stands in brackets and quotation marks, a host with a port in quotation marks.
    private func addForwarded(_ request: Request, to lines: inout FieldLines) {
        lines.append("Forwarded: for=")
        if let client = request.client { lines.append(client, brackets: ("\"[", "]\"")) } else { lines.append("unknown") }
        lines.append(request.scheme == .https ? ";proto=https" : ";proto=http")
        var host = request.authority
        switch host.withUTF8({ Self.spelling(of: UnsafeRawBufferPointer($0)) }) {
        case .token:
            lines.append(";host=")
            lines.append(value: host)
        case .quoted:
            lines.append(";host=\"")
            lines.append(value: host)
            lines.append("\"")
        case .none: break
        }
        lines.end()
    }

    private enum Spelling {
        case token
        case quoted
        /// Nothing, or what would need an escape, which is not in a host.
        case none
    }

    private static func spelling(of host: UnsafeRawBufferPointer) -> Spelling {
        var isToken = true
        for place in 0..<host.count where !Octet.isToken(host[place]) {
            let octet = host[place]
            if octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "\\") { return .none }
            isToken = false
        }
        return host.isEmpty ? .none : isToken ? .token : .quoted
    }

    private static func reads(_ name: String, as other: StaticString) -> Bool {
        var name = name
        return name.withUTF8 { FieldName.reads(UnsafeRawBufferPointer($0), as: other) }
    }

    enum Part: Hashable {
        case passedOn
        case dropped
    }

    /// What becomes of a field by its name alone.
    static func part(of name: UnsafeRawBufferPointer) -> Part {
        func reads(_ other: StaticString) -> Bool { FieldName.reads(name, as: other) }
        let isDropped =
            switch name.count {
            case 2: reads("te")
            case 3: reads("via")
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
        guard name.count >= 12, FieldName.canonical(name[0]) == UInt8(ascii: "x"), FieldName.canonical(name[1]) == UInt8(ascii: "-") else {
            return .passedOn
        }
        return FieldName.begins(name, with: "x-forwarded-") || FieldName.begins(name, with: "x-gatehouse-") ? .dropped : .passedOn
    }
}
