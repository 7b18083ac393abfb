/// What a handshake has agreed on.
package struct TLSHandshake: Hashable, Sendable {
    package enum Version: String, Sendable {
        case tls12 = "TLSv1.2"
        case tls13 = "TLSv1.3"
    }

    package var version: Version
    /// As OpenSSL calls it: `TLS_AES_128_GCM_SHA256`.
    package var cipher: String
    /// By ALPN (RFC 7301); `nil` where the client did not ask.
    package var applicationProtocol: String?
    /// The name that the client asked for (RFC 6066 §3), in lower case.
    package var serverName: String?
    package var isResumed: Bool

    /// What an authority's server speaks to see a challenge's certificate (RFC 8737 §4). No data follows.
    package static let challengeProtocol = "acme-tls/1"
}
