import GateCore
import GateHTTP
import GateIdentity

/// The fields that tell an application who a request is from.
///
/// Only we may say them: every field whose name an application may take for one that begins with `X-Gatehouse-` is dropped from what
/// clients send. CGI, WSGI and their kin turn every character of a name that is no letter and no digit into `_` (RFC 3875 §4.1.18
/// and what servers do beyond it), so all of these are one to us, as upper and lower case are [CVE-2025-64484].
package enum IdentityFields {
    /// Whether a client must not send a field of that name: neither in the head nor among the trailers.
    package static func isReserved(_ name: String) -> Bool {
        let prefix: StaticString = "x-gatehouse-"
        let count = prefix.utf8CodeUnitCount
        var name = name
        return name.withUTF8 { bytes in
            guard bytes.count >= count, bytes[0] | 0x20 == UInt8(ascii: "x") else { return false }
            for place in 1..<count {
                let wanted = prefix.utf8Start[place]
                let byte = bytes[place]
                if wanted == UInt8(ascii: "-") ? isAlphanumeric(byte) : byte | 0x20 != wanted { return false }
            }
            return true
        }
    }

    /// The fields for an application whose name is `audience`. What is not known of somebody is left out.
    ///
    /// - Throws: `CryptoError` where the assertion cannot be signed.
    static func encode(
        _ principal: Principal, audience: String, assertions: AssertionIssuer, at now: Timestamp
    ) throws -> EncodedFields {
        var fields = [
            (name: "X-Gatehouse-User", value: principal.userID.description),
            (name: "X-Gatehouse-Email", value: principal.email.text),
            (name: "X-Gatehouse-Email-Verified", value: principal.isEmailVerified ? "true" : "false"),
        ]
        if let name = principal.name { fields.append(("X-Gatehouse-Name", encoded(name: name))) }
        if let organisationID = principal.organisationID { fields.append(("X-Gatehouse-Org", organisationID.description)) }
        if !principal.roles.isEmpty { fields.append(("X-Gatehouse-Roles", principal.roles.joined(separator: ","))) }
        fields.append(("X-Gatehouse-Session", principal.sessionID.description))
        fields.append(
            ("X-Gatehouse-Assertion", try assertions.issue(for: principal, audience: audience, at: now)))
        guard let encoded = EncodedFields(fields) else { throw Problem(.internal) }
        return encoded
    }

    /// Printable ASCII as it is, but for the percent sign; all else as the percent-encoded bytes of its UTF-8 (RFC 3986 §2.1). Fields
    /// have no encoding of their own that applications agree on (RFC 9110 §5.5), and this one every language can read.
    package static func encoded(name: String) -> String {
        var encoded: [UInt8] = []
        for byte in name.utf8 {
            if (0x20...0x7E).contains(byte), byte != UInt8(ascii: "%") {
                encoded.append(byte)
            } else {
                encoded.appendPercentEncoded(byte)
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// Whether the name has letters, digits and hyphens only: then a proxy that drops the field by its name has dropped it.
    package static func isPlainlySpelt(_ name: String) -> Bool {
        name.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
        default: false
        }
    }
}
