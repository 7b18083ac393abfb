import GateCore
import GateHTTP

/// A file that answers a request.
struct FoundFile: Sendable {
    /// A form of the content that lies beside it, made smaller ahead.
    enum Coding: String, CaseIterable, Sendable {
        case brotli = "br"
        case gzip

        /// What its name ends with.
        var suffix: String {
            switch self {
            case .brotli: ".br"
            case .gzip: ".gz"
            }
        }
    }

    let file: OpenFile
    let status: FileStatus
    let type: MediaType
    /// `nil` where it is the file itself.
    let coding: Coding?

    /// The tag is made of what nobody can set back: a file that is put in the place of another, or written again, has another inode or
    /// another time of change, whatever its date says. Within a second of that time it is weak, since file systems count in ticks of
    /// up to a second, and the next change may bear the same (RFC 9110 §8.8.1).
    func validators(at now: Timestamp) -> Validators {
        let tag = "\"\(String(status.inode, radix: 36))-\(String(status.changed, radix: 36))-\(String(status.size, radix: 36))\""
        let changed = Timestamp(milliseconds: status.changed / 1_000_000)
        let modified = Timestamp(milliseconds: status.modified / 1_000_000)
        return Validators(
            entityTag: now - changed >= .seconds(1) ? tag : "W/" + tag,
            // Never later than the response itself (§8.8.2.1).
            lastModified: min(modified, now))
    }
}
