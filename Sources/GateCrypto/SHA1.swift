/// SHA-1 (FIPS 180-4), for protocols that demand it and draw no security from it: the WebSocket handshake (RFC 6455 §1.3).
package enum SHA1 {
    /// In bytes.
    package static let size = 20

    package static func hash(_ bytes: [UInt8]) -> [UInt8] { bytes.withUnsafeBytes { MessageDigest.sha1.hash($0) } }
}
