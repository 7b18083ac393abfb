import COpenSSL
package import GateCore
import Synchronization

/// Seals and opens stateless session tickets (RFC 8446 §4.6.1, RFC 5077), with keys that are made here and never leave memory.
///
/// One for all certificates of a server, so that exchanging a certificate costs no client its session. That a session stays with the
/// name it was made for is seen to by the session id context.
package final class SessionTickets: Sendable {
    /// How long a session may be resumed, in TLS 1.2 and 1.3 alike; RFC 8446 allows a week.
    package static let lifetime: Duration = .seconds(12 * 3600)

    private let ring: Mutex<SessionTicketKeyRing>
    private let time: any TimeSource
    private let entropy: any Entropy

    /// - Parameter rotation: how long a key seals before the next one is made.
    package init(
        rotation: Duration = .seconds(12 * 3600), time: any TimeSource = SystemTime(), entropy: any Entropy = SystemEntropy()
    ) {
        ring = Mutex(SessionTicketKeyRing(rotation: rotation, lifetime: Self.lifetime))
        self.time = time
        self.entropy = entropy
    }

    /// See SSL_CTX_set_tlsext_ticket_key_evp_cb(3). Answers as that page says: 2 opens and asks for a new ticket, 1 seals or opens,
    /// 0 does not know the key, -1 fails.
    func prepare(
        _ name: UnsafeMutablePointer<UInt8>, _ vector: UnsafeMutablePointer<UInt8>, _ cipher: OpaquePointer, _ mac: OpaquePointer,
        seals: Bool, renews: Bool, in library: CryptoLibrary
    ) -> Int32 {
        let now = time.monotonic()
        guard seals else {
            let name = UnsafeRawBufferPointer(start: name, count: SessionTicketKey.nameSize)
            guard let (key, isCurrent) = ring.withLock({ $0.opening(name, at: now) }) else { return 0 }
            guard Self.set(key, vector, cipher, mac, library, EVP_DecryptInit_ex) else { return -1 }
            return isCurrent && !renews ? 1 : 2
        }
        let key = ring.withLock { ring in ring.sealing(at: now) { SessionTicketKey(entropy, at: now) } }
        for (place, byte) in key.name.enumerated() { name[place] = byte }
        entropy.fill(UnsafeMutableRawBufferPointer(start: vector, count: 16))
        return Self.set(key, vector, cipher, mac, library, EVP_EncryptInit_ex) ? 1 : -1
    }

    private typealias CipherInit =
        @convention(c) (
            OpaquePointer?, OpaquePointer?, OpaquePointer?, UnsafePointer<UInt8>?, UnsafePointer<UInt8>?
        ) -> Int32

    private static func set(
        _ key: SessionTicketKey, _ vector: UnsafeMutablePointer<UInt8>, _ cipher: OpaquePointer, _ mac: OpaquePointer,
        _ library: CryptoLibrary, _ initialise: CipherInit
    ) -> Bool {
        guard initialise(cipher, library.ticketCipher, nil, key.cipherKey.exposed, vector) == 1 else { return false }
        let secret = key.authenticationKey.exposed
        var digest = Array("SHA2-256".utf8CString)
        return OSSL_MAC_PARAM_DIGEST.withCString { name in
            digest.withUnsafeMutableBufferPointer { digest in
                let parameters = [OSSL_PARAM_construct_utf8_string(name, digest.baseAddress, 0), OSSL_PARAM_construct_end()]
                return EVP_MAC_init(mac, secret, secret.count, parameters) == 1
            }
        }
    }
}
