/// A DNS message (RFC 1035 §4) as a value.
package struct DNSMessage: Hashable, Sendable {
    package var id: UInt16
    package var isResponse = false
    package var operation: UInt8 = 0
    package var isAuthoritative = false
    /// The sections of a truncated message are not read: they may end anywhere.
    package var isTruncated = false
    package var wantsRecursion = false
    package var offersRecursion = false
    /// AD (RFC 4035 §3.2.3): the server has verified what it answers with DNSSEC.
    package var isAuthenticated = false
    /// CD: the server is asked not to verify.
    package var isCheckingDisabled = false
    package var code = DNSResponseCode.noError
    package var questions: [DNSQuestion] = []
    package var answers: [DNSRecord] = []
    package var authorities: [DNSRecord] = []
    package var additionals: [DNSRecord] = []
    package var extensions: DNSExtensions?

    package init(id: UInt16) { self.id = id }
}

/// A question of class IN.
package struct DNSQuestion: Hashable, Sendable, CustomStringConvertible {
    package var name: DNSName
    package var type: DNSRecordType

    package init(_ name: DNSName, _ type: DNSRecordType) {
        self.name = name
        self.type = type
    }

    package var description: String { "\(type) of \(name)" }
}

/// The response code, with the upper bits that EDNS adds (RFC 1035 §4.1.1, RFC 6891 §6.1.3).
package struct DNSResponseCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let noError = DNSResponseCode(rawValue: 0)
    package static let formatError = DNSResponseCode(rawValue: 1)
    package static let serverFailure = DNSResponseCode(rawValue: 2)
    package static let noSuchName = DNSResponseCode(rawValue: 3)
    package static let notImplemented = DNSResponseCode(rawValue: 4)
    package static let refused = DNSResponseCode(rawValue: 5)
    package static let badVersion = DNSResponseCode(rawValue: 16)

    package var description: String {
        switch self {
        case .noError: "NOERROR"
        case .formatError: "FORMERR"
        case .serverFailure: "SERVFAIL"
        case .noSuchName: "NXDOMAIN"
        case .notImplemented: "NOTIMP"
        case .refused: "REFUSED"
        case .badVersion: "BADVERS"
        default: "RCODE\(rawValue)"
        }
    }
}

/// EDNS(0) (RFC 6891): what the OPT record carries.
package struct DNSExtensions: Hashable, Sendable {
    /// The largest UDP message that its sender takes. 1232 bytes pass every IPv6 path unfragmented.
    package var payloadSize: UInt16 = 1232
    package var version: UInt8 = 0
    package var errors: [DNSExtendedError] = []

    package init() {}
}

/// Why an answer failed, in more than a response code (RFC 8914).
package struct DNSExtendedError: Hashable, Sendable, CustomStringConvertible {
    package var code: UInt16
    /// What the server adds; control characters are left out.
    package var text: String

    package init(code: UInt16, text: String = "") {
        self.code = code
        self.text = text
    }

    /// Whether DNSSEC failed to verify: codes 5 to 12 (RFC 8914 §4.6 to §4.13) and 27.
    package var isSecurityFailure: Bool { (5...12).contains(code) || code == 27 }

    package var description: String {
        let name =
            switch code {
            case 3: "stale answer"
            case 5: "DNSSEC indeterminate"
            case 6: "DNSSEC bogus"
            case 7: "signature expired"
            case 8: "signature not yet valid"
            case 9: "DNSKEY missing"
            case 10: "signatures missing"
            case 11: "no zone key bit set"
            case 12: "NSEC missing"
            case 15: "blocked"
            case 16: "censored"
            case 17: "filtered"
            case 18: "prohibited"
            case 20: "not authoritative"
            case 22: "no reachable authority"
            case 23: "network error"
            case 27: "unsupported NSEC3 iterations"
            default: "extended error \(code)"
            }
        return text.isEmpty ? name : "\(name): \(text)"
    }
}
