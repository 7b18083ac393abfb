import GateHTTP
package import NIOHTTP1

extension FieldChanges {
    /// Whether an operator may set the field. Those that say how a connection carries a message are the connection's, and a name that is
    /// no token (RFC 9110 §5.6.2) is none; `Host` may be set towards an application, see ``UpstreamRules/Authority``.
    package static func isSettable(_ name: String) -> Bool {
        guard !name.isEmpty, name.utf8.allSatisfy(FieldLines.isToken) else { return false }
        switch name.lowercased() {
        case "host", "connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade", "content-length", "expect",
            "date":
            return false
        default: return true
        }
    }

    package var isEmpty: Bool { removed.isEmpty && set.isEmpty }

    /// Makes the changes to fields that are kept one by one.
    package func apply(to headers: inout HTTPHeaders) {
        for name in removed { headers.remove(name: name) }
        for field in set where Self.isSettable(field.name) { headers.replaceOrAdd(name: field.name, value: field.value) }
    }
}
