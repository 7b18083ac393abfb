import GateCore

/// The `Date` field (RFC 9110 §5.6.7, IMF-fixdate), made once a second.
struct DateField {
    /// `Date: Sun, 06 Nov 1994 08:49:37 GMT` with its line end.
    private(set) var line: [UInt8] = []
    private var validUntil = MonotonicInstant(nanoseconds: 0)

    /// Makes the line anew where its second is over.
    mutating func refresh(at moment: MonotonicInstant, _ time: any TimeSource) {
        guard moment >= validUntil || line.isEmpty else { return }
        let now = time.now()
        line = Array("Date: \(now.httpDate)\r\n".utf8)
        validUntil = moment + .milliseconds(1000 - (now.milliseconds % 1000 + 1000) % 1000)
    }
}
