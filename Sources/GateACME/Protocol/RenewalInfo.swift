package import GateCore

/// When the authority would have a certificate renewed (RFC 9773 §4.2).
package struct RenewalInfo: Hashable, Sendable {
    /// `start` is before `end`.
    package let start: Timestamp
    package let end: Timestamp
    /// A page for people that says why.
    package let explanationURL: String?
    /// How long the answer holds: ask again then, not before (RFC 9773 §4.3). `nil` where the authority didn't say.
    package let retryAfter: Duration?

    package init(start: Timestamp, end: Timestamp, explanationURL: String? = nil, retryAfter: Duration? = nil) {
        self.start = start
        self.end = end
        self.explanationURL = explanationURL
        self.retryAfter = retryAfter
    }
}

extension RenewalInfo {
    package init(parsing bytes: [UInt8], retryAfter: Duration?) throws(MalformedAnswer) {
        let reader = try ObjectReader("renewal information", parsing: bytes)
        guard let window = try reader.object("suggestedWindow") else {
            throw MalformedAnswer("renewal information", "it has no \"suggestedWindow\"")
        }
        let (start, end) = (try window.time("start"), try window.time("end"))
        guard start < end else { throw MalformedAnswer("renewal information", "the window ends before it starts") }
        self.init(start: start, end: end, explanationURL: try reader.optionalText("explanationURL"), retryAfter: retryAfter)
    }
}

extension RenewalInfo {
    /// As it is kept.
    var json: JSON {
        [
            "start": .integer(start.milliseconds), "end": .integer(end.milliseconds),
            "explanation": explanationURL.map { .string($0) } ?? .null,
        ]
    }

    /// `nil` where it is not what `json` wrote.
    init?(json: JSON) {
        guard let start = json["start"]?.integer, let end = json["end"]?.integer, start < end else { return nil }
        self.init(
            start: Timestamp(milliseconds: start), end: Timestamp(milliseconds: end), explanationURL: json["explanation"]?.string)
    }
}
