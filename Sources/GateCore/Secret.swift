/// Bytes that must never be shown: a key, a password, a token. It prints as `<redacted>`, wherever it is interpolated, dumped
/// or logged, and compares in constant time.
package struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let storage: [UInt8]

    package init(_ bytes: [UInt8]) { storage = bytes }
    package init(_ text: String) { storage = Array(text.utf8) }

    package var count: Int { storage.count }

    /// The only way to the content. Its name is what reviewers search for.
    package var exposed: [UInt8] { storage }

    package var description: String { "<redacted>" }
    package var debugDescription: String { "<redacted>" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    package static func == (left: Secret, right: Secret) -> Bool { constantTimeEqual(left.storage, right.storage) }
}

/// Whether both hold the same bytes, in a time that depends on their length only.
package func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for index in left.indices { difference |= left[index] ^ right[index] }
    return difference == 0
}
