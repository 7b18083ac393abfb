/// A password as it is stored: a bcrypt hash such as `$2b$12$…`, or `sha384:$2b$12$…` where the password could not go into bcrypt
/// as it is. It prints as `<redacted>`: whoever reads it can guess at the password offline.
package struct PasswordHash: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// What the database holds.
    package let text: String

    package init(text: String) { self.text = text }

    package var description: String { "<redacted>" }
    package var debugDescription: String { "<redacted>" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
