import GateCore

/// The `Date` field (RFC 9110 §5.6.7, IMF-fixdate), made once a second.
struct DateField {
    /// `Date: Sun, 06 Nov 1994 08:49:37 GMT` with its line end.
    private(set) var line: [UInt8] = []
    /// The value alone.
    private(set) var value = ""
    private var validUntil = MonotonicInstant(nanoseconds: 0)

    /// Makes it anew where its second is over.
    mutating func refresh(at moment: MonotonicInstant, _ time: any TimeSource) {
        guard moment >= validUntil || line.isEmpty else { return }
        let now = time.now()
        value = now.httpDate
        line = Array("Date: \(value)\r\n".utf8)
        validUntil = moment + .milliseconds(1000 - (now.milliseconds % 1000 + 1000) % 1000)
    }
}
