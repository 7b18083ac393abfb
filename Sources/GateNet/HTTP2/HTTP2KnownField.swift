import GateHTTP

/// A field that most responses have: no string has to be made of its name, and it is known what becomes of it.
final class HTTP2KnownField: Sendable {
    enum Treatment: Sendable {
        /// The connection's to set, or not to be had in HTTP/2 (RFC 9113 §8.2.2).
        case leftOut
        /// RFC 7541 §7.1.3: what a proxy in between must not put into a table either.
        case neverIndexed
        /// Of which a client sees one value, or a few, again and again.
        case indexed
        /// Of which every response has another value.
        case indexedByName
    }

    /// Its place in the table.
    let number: Int
    let name: String
    let treatment: Treatment
    private let octets: StaticString

    private init(number: Int, name: String, treatment: Treatment, octets: StaticString) {
        self.number = number
        self.name = name
        self.treatment = treatment
        self.octets = octets
    }

    /// What comes under this name from elsewhere is left out.
    static let requestID = HTTP2KnownField(number: all.count, name: "x-request-id", treatment: .indexedByName, octets: "x-request-id")

    /// - Parameter name: in any case.
    static func find(_ name: UnsafeRawBufferPointer) -> HTTP2KnownField? {
        guard name.count < byLength.count else { return nil }
        return byLength[name.count].first { Octet.matches(name, $0.octets) }
    }

    private static let all: [HTTP2KnownField] = {
        let names: [(Treatment, [StaticString])] = [
            (
                .leftOut,
                [
                    "connection", "content-length", "date", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade",
                    "x-request-id",
                ]
            ),
            (.neverIndexed, ["set-cookie"]),
            (
                .indexed,
                [
                    "accept-ranges", "cache-control", "content-encoding", "content-type", "cross-origin-opener-policy", "ratelimit-policy",
                    "referrer-policy", "server", "strict-transport-security", "vary", "x-content-type-options", "x-frame-options",
                    "x-ratelimit-limit",
                ]
            ),
            (.indexedByName, ["ratelimit", "x-ratelimit-remaining", "x-ratelimit-reset"]),
        ]
        var all: [HTTP2KnownField] = []
        for (treatment, names) in names {
            for name in names {
                all.append(HTTP2KnownField(number: all.count, name: "\(name)", treatment: treatment, octets: name))
            }
        }
        return all
    }()

    private static let byLength: [[HTTP2KnownField]] = {
        let longest = all.map(\.name.utf8.count).max() ?? 0
        return (0...longest).map { length in all.filter { $0.name.utf8.count == length } }
    }()
}
