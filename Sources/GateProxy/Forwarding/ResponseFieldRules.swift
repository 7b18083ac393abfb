import GateHTTP
import GateNet

/// What a client gets of the header fields of an application's response: its bytes as they came, but for the fields that are between
/// the application and us, those that are the connection's to set, and those that the operator changes.
struct ResponseFieldRules: Sendable {
    private let changed: FieldNameSet
    private let added: EncodedFields

    init(_ changes: FieldChanges) {
        let set = changes.set.filter { FieldChanges.isSettable($0.name) }
        changed = FieldNameSet(changes.removed + set.map(\.name))
        added = EncodedFields(set) ?? EncodedFields()
    }

    /// - Parameter leavesOutAccept: for a WebSocket over HTTP/2, which has no `Sec-WebSocket-Accept` (RFC 8441 §5).
    func fields(_ fields: FieldSection, connectionOptions: String?, leavesOutAccept: Bool = false) -> EncodedFields {
        let named = connectionOptions.map { FieldNameSet(connectionOptions: CollectionOfOne($0)) } ?? FieldNameSet()
        var kept = fields.encoded { name in
            guard !Self.isOurs(name), named.isEmpty || !named.contains(name), changed.isEmpty || !changed.contains(name) else {
                return false
            }
            return !leavesOutAccept || !FieldSection.matches(name, "sec-websocket-accept")
        }
        if added.count > 0 { kept.append(added) }
        return kept
    }

    private static func isOurs(_ name: UnsafeRawBufferPointer) -> Bool {
        if StreamedResponse.isHopByHop(name) { return true }
        return switch name.count {
        case 4: FieldSection.matches(name, "date")
        case 12: FieldSection.matches(name, "x-request-id")
        default: false
        }
    }
}
