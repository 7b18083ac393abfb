import GateAccess
import GateHTTP
import GateNet
import NIOCore

/// What a client gets of the header fields of an application's response: its bytes as they came, but for the fields that are between
/// the application and us, those that are the connection's to set, and those that the operator changes. It does not set the session's
/// cookie, which would sign people in as somebody else, or out; and what it says of its own paths is told as the client knows them. Security
/// fields are added where it says nothing of the kind.
final class ResponseFieldRules: Sendable {
    private let changed: FieldNameSet
    private let added: [UInt8]
    private let addedSecurity: SiteSecurityHeaders.Present
    private let cookie: SessionCookie?
    private let security: SiteSecurityHeaders?

    /// - Parameters:
    ///   - cookie: the session's; `nil` where it may be set.
    ///   - security: `nil` where nothing is added.
    init(_ changes: FieldChanges, cookie: SessionCookie?, security: SiteSecurityHeaders? = nil) {
        self.cookie = cookie
        self.security = security
        let set = changes.set.filter { FieldChanges.isSettable($0.name) }
        changed = FieldNameSet(changes.removed + set.map(\.name))
        added = EncodedFields(set)?.bytes ?? []
        addedSecurity = set.reduce(into: []) { present, field in
            var name = field.name
            present.formUnion(name.withUTF8 { SiteSecurityHeaders.Present(UnsafeRawBufferPointer($0)) })
        }
    }

    /// - Parameters:
    ///   - scheme: how the request came.
    ///   - location: `nil` where the application's paths are the client's.
    ///   - leavesOutAccept: for a WebSocket over HTTP/2, which has no `Sec-WebSocket-Accept` (RFC 8441 §5).
    ///   - last: what is told besides.
    /// - Returns: the fields, and whether the application wanted to set the session's cookie.
    func fields(
        _ fields: FieldSection, connectionOptions: String?, over scheme: Request.Scheme, location: LocationRewrite? = nil,
        leavesOutAccept: Bool = false, and last: EncodedFields
    ) -> (fields: EncodedFields, setsSession: Bool) {
        let named = connectionOptions.map { FieldNameSet(connectionOptions: CollectionOfOne($0)) } ?? FieldNameSet()
        var moved: [(name: String, value: String)] = []
        var setsSession = false
        let size = fields.lines.readableBytes + added.count + (security?.longest ?? 0) + last.count
        // All in one piece: the connection copies each of several by itself.
        var encoded = JoinedLines.encode(capacity: size) { lines in
            var present = addedSecurity
            fields.forEach { name, value, line in
                guard !Self.isOurs(name), named.isEmpty || !named.contains(name), changed.isEmpty || !changed.contains(name) else {
                    return
                }
                if name.count == 10, let cookie, Octet.matches(name, "set-cookie"), cookie.isSet(by: value) {
                    setsSession = true
                    return
                }
                if let location, Self.isLocation(name), let outside = location.outside(value) {
                    moved.append((String(decoding: name, as: UTF8.self), outside))
                    return
                }
                if leavesOutAccept, Octet.matches(name, "sec-websocket-accept") { return }
                present.formUnion(SiteSecurityHeaders.Present(name))
                lines.append(line: line)
            }
            lines.append(lines: added)
            if let security { lines.append(lines: security.lines(beside: present, over: scheme)) }
            lines.append(last)
        }
        if !moved.isEmpty, let lines = EncodedFields(moved) { encoded.append(lines) }
        return (encoded, setsSession)
    }

    private static func isLocation(_ name: UnsafeRawBufferPointer) -> Bool {
        Octet.matches(name, "location") || Octet.matches(name, "content-location")
    }

    private static func isOurs(_ name: UnsafeRawBufferPointer) -> Bool {
        if StreamedResponse.isHopByHop(name) { return true }
        return switch name.count {
        case 4: Octet.matches(name, "date")
        case 12: Octet.matches(name, "x-request-id")
        default: false
        }
    }
}
