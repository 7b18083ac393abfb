/// Why a backup could not be made, read or restored, in words for the operator.
package struct BackupError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// The archive is cut short, was changed, or its disk failed.
        case damaged
        /// It is whole, as far as can be told, but none of ours.
        case foreign
        /// A newer program made it.
        case newer
        /// It is encrypted, and not for the keys or the passphrase given.
        case wrongKey
        /// Something is there already, and must not be overwritten.
        case taken
        /// There is not enough room on the disk.
        case full
        /// The system does not let this user do it.
        case notPermitted
        /// A file that was named does not exist.
        case missing
        /// What was asked for makes no sense.
        case invalid
        /// Another one is at it.
        case busy
        /// It was asked to stop.
        case cancelled
        /// The system failed otherwise.
        case failed
    }

    package let kind: Kind
    package let reason: String

    package init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }

    package var description: String { reason }
}
