import GateHTTP

extension FieldChanges {
    /// Whether an operator may set the field. Those that say how a connection carries a message are the connection's, and a name that is
    /// no token (RFC 9110 §5.6.2) is none; `Host` may be set towards an application, see ``UpstreamRules/Authority``.
    package static func isSettable(_ name: String) -> Bool {
        guard !name.isEmpty, name.utf8.allSatisfy(Octet.isToken) else { return false }
        switch name.lowercased() {
        case "host", "connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade", "content-length", "expect",
            "date":
            return false
        default: return true
        }
    }

    /// Without `Content-Type`, `Content-Security-Policy` and whatever else speaks of the content: for answers with another than was meant.
    var withoutContent: FieldChanges {
        func isKept(_ name: String) -> Bool { !name.lowercased().hasPrefix("content-") }
        var changes = self
        changes.removed.removeAll { !isKept($0) }
        changes.set.removeAll { !isKept($0.name) }
        return changes
    }
}
