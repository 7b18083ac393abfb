/// How control of a name is proven; the raw value is the challenge's `type` (RFC 8555 §9.7.8).
package enum ChallengeKind: String, CaseIterable, Sendable {
    /// RFC 8555 §8.3: a file on port 80.
    case http01 = "http-01"
    /// RFC 8737: a handshake on port 443.
    case tlsALPN01 = "tls-alpn-01"
}
