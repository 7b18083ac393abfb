import GateAccess
import GateHTTP
import GateNet

/// What a client gets of the header fields of an application's response: its bytes as they came, but for the fields that are between
/// the application and us, those that are the connection's to set, and those that the operator changes. It does not set the session's
/// cookie, which would sign people in as somebody else, or out; and what it says of its own paths is told as the client knows them.
struct ResponseFieldRules: Sendable {
    private let changed: FieldNameSet
    private let added: EncodedFields
    private let cookie: SessionCookie?

    /// - Parameter cookie: the session's; `nil` where it may be set.
    init(_ changes: FieldChanges, cookie: SessionCookie?) {
        self.cookie = cookie
        let set = changes.set.filter { FieldChanges.isSettable($0.name) }
        changed = FieldNameSet(changes.removed + set.map(\.name))
        added = EncodedFields(set) ?? EncodedFields()
    }

    /// - Parameters:
    ///   - location: `nil` where the application's paths are the client's.
    ///   - leavesOutAccept: for a WebSocket over HTTP/2, which has no `Sec-WebSocket-Accept` (RFC 8441 §5).
    /// - Returns: the fields, and whether the application wanted to set the session's cookie.
    func fields(
        _ fields: FieldSection, connectionOptions: String?, location: LocationRewrite? = nil, leavesOutAccept: Bool = false
    ) -> (fields: EncodedFields, setsSession: Bool) {
        let named = connectionOptions.map { FieldNameSet(connectionOptions: CollectionOfOne($0)) } ?? FieldNameSet()
        var moved: [(name: String, value: String)] = []
        var setsSession = false
        var kept = fields.encoded { name, value in
            guard !Self.isOurs(name), named.isEmpty || !named.contains(name), changed.isEmpty || !changed.contains(name) else {
                return false
            }
            if name.count == 10, let cookie, Octet.matches(name, "set-cookie"), cookie.isSet(by: value) {
                setsSession = true
                return false
            }
            if let location, Self.isLocation(name), let outside = location.outside(value) {
                moved.append((String(decoding: name, as: UTF8.self), outside))
                return false
            }
            return !leavesOutAccept || !Octet.matches(name, "sec-websocket-accept")
        }
        if !moved.isEmpty, let lines = EncodedFields(moved) { kept.append(lines) }
        if added.count > 0 { kept.append(added) }
        return (kept, setsSession)
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
