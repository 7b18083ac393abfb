/// Why what a server sent is no response.
enum ResponseFault: Error, Hashable, Sendable {
    /// Not HTTP/1.1 as RFC 9112 has it, or with two readings.
    case malformed(String)
    case tooLarge(String)
    /// The connection ended before the response did, or before it began.
    case truncated

    /// What the parts that responses share with requests say.
    init(_ fault: RequestFault) {
        switch fault {
        case .malformed(let detail), .timedOut(let detail), .overloaded(let detail): self = .malformed(detail)
        case .headersTooLarge(let detail): self = .tooLarge(detail)
        }
    }
}
