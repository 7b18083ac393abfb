import GateCore
package import NIOHTTP1

extension HTTPHeaders {
    /// The value of the cookie of that name; `nil` where there is none, or where there are two with different values: one of them
    /// was then set by somebody else, and there is no telling which (RFC 6265 §5.4 leaves the order open).
    package func cookie(_ name: String) -> Substring? {
        var found: Substring?
        for (field, value) in self where field.utf8.count == 6 && field.lowercased() == "cookie" {
            for pair in value.split(separator: ";") {
                guard let equals = pair.utf8.firstIndex(of: UInt8(ascii: "=")) else { continue }
                guard pair[..<equals].trimmingSpaces() == name else { continue }
                let cookie = pair[pair.utf8.index(after: equals)...].trimmingSpaces()
                if let found, found != cookie { return nil }
                found = cookie
            }
        }
        return found
    }
}

extension StringProtocol where SubSequence == Substring {
    /// Without the spaces and tabs around it: HTTP's optional white space (RFC 9110 §5.6.3).
    package func trimmingSpaces() -> Substring {
        var rest = self[...]
        while let first = rest.utf8.first, first == 0x20 || first == 0x09 { rest = rest.dropFirst() }
        while let last = rest.utf8.last, last == 0x20 || last == 0x09 { rest = rest.dropLast() }
        return rest
    }
}
