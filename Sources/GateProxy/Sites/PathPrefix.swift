/// A path and everything below it: `/app` covers `/app` and `/app/x`, not `/apple`.
package struct PathPrefix: Hashable, Sendable {
    /// Begins with a slash, and ends with none unless it is `/`.
    package let text: String

    package init(_ text: String) {
        self.text = text.count > 1 && text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    package func covers(_ path: Substring) -> Bool {
        if text == "/" { return true }
        guard path.utf8.starts(with: text.utf8) else { return false }
        let rest = path.utf8.dropFirst(text.utf8.count)
        return rest.isEmpty || rest.first == UInt8(ascii: "/")
    }
}
