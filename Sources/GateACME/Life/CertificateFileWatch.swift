import GateCore
import GateCrypto

/// What decides that a file was changed: all of it is of stat(2).
struct FileSignature: Hashable, Sendable {
    var device: UInt64
    var inode: UInt64
    var size: Int64
    /// Nanoseconds since the epoch.
    var modified: Int64
    var isReadableByEveryone: Bool
}

/// A certificate and its key in files, which somebody else renews. Decides what to take; has no disk and no clock.
struct CertificateFileWatch: Sendable {
    /// Of both files; `nil` where one is missing.
    struct Look: Hashable, Sendable {
        var certificate: FileSignature?
        var key: FileSignature?
    }

    enum Outcome: Sendable {
        case unchanged
        case taken(CertifiedKey)
        /// What was there stays. Said once for each state of the files.
        case refused(StoreFailure)
        /// Perhaps the files are being replaced at this moment, one after the other: looked at again.
        case undecided
    }

    private(set) var current: CertifiedKey?
    private var known: Look?
    private var suspicion: Look?

    /// - Parameters:
    ///   - isFinal: what is not sound is refused at the first look.
    ///   - load: reads and checks both files; called where they have changed only.
    mutating func look(_ look: Look, isFinal: Bool, load: () throws(StoreFailure) -> CertifiedKey) -> Outcome {
        guard look != known else { return .unchanged }
        do throws(StoreFailure) {
            let pair = try load()
            known = look
            suspicion = nil
            let isNew = pair.leaf != current?.leaf || pair.chain != current?.chain || pair.key != current?.key
            current = pair
            return isNew ? .taken(pair) : .unchanged
        } catch {
            guard isFinal || suspicion == look else {
                suspicion = look
                return .undecided
            }
            known = look
            suspicion = nil
            return .refused(error)
        }
    }
}
