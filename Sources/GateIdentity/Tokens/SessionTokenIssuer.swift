package import GateCore
import GateCrypto
import Synchronization

/// Makes and checks the opaque tokens of sessions: the one in the cookie, and the refresh tokens.
///
/// Both are a name and its HMAC-SHA-256 under a key that only the server has. So nothing of them need be stored, not even a hash:
/// the database holds which sessions live and how many refresh tokens each has had. A token can be given again as often as needed
/// (to each of several parallel refreshes, to a cookie that is renewed), one that was given out is told from one that was
/// invented, and a database that is stolen signs nobody in.
///
/// ```
/// gst_ base64url( session id, 16 bytes | HMAC("session" | session id) )
/// grt_ base64url( session id, 16 bytes | generation, 8 bytes | HMAC("refresh" | session id | generation) )
/// ```
package final class SessionTokenIssuer: Sendable {
    /// The newest first. Tokens are made with the first and accepted from all.
    private let keys: Mutex<[Secret]>
    private let verifiedCookies: VerifiedTokenCache<Session.ID>

    /// The shortest key, in bytes: as long as the hash.
    package static let minimumKeySize = 32

    /// - Parameters:
    ///   - key: at least ``minimumKeySize`` bytes.
    ///   - previous: keys that made the tokens still in use.
    ///   - rememberedCookies: how many verified cookies are kept; some 200 bytes each.
    package init(key: Secret, previous: [Secret] = [], rememberedCookies: Int = 16_384) {
        precondition(key.count >= Self.minimumKeySize)
        keys = Mutex([key] + previous)
        verifiedCookies = VerifiedTokenCache(capacity: rememberedCookies)
    }

    package func replaceKeys(_ key: Secret, previous: [Secret]) {
        precondition(key.count >= Self.minimumKeySize)
        keys.withLock { $0 = [key] + previous }
        verifiedCookies.removeAll()
    }

    // MARK: The session cookie

    package func cookieToken(for session: Session.ID) -> Secret {
        Kind.session.text(session.octets + authenticate("session", session.octets, key: currentKey))
    }

    /// The session that a token of ours names; `nil` for what is none. Whether the session is alive is not known from it.
    package func session(cookieToken: String) -> Session.ID? {
        verifiedCookies.find(cookieToken.utf8.span) { token in
            guard let bytes = Kind.session.bytes(of: token), bytes.count == 48 else { return nil }
            guard isAuthentic(bytes[16...], "session", Array(bytes[..<16])) else { return nil }
            return Session.ID(octets: bytes[..<16])
        }
    }

    // MARK: Refresh tokens

    package func refreshToken(for session: Session.ID, generation: Int64) -> Secret {
        let name = session.octets + octets(UInt64(bitPattern: generation))
        return Kind.refresh.text(name + authenticate("refresh", name, key: currentKey))
    }

    /// The session and generation that a token of ours names; `nil` for what is none. Whether it is still good is not known from it.
    package func generation(refreshToken: Secret) -> (session: Session.ID, generation: Int64)? {
        let text = String(decoding: refreshToken.exposed, as: UTF8.self)
        guard let bytes = Kind.refresh.bytes(of: text), bytes.count == 56 else { return nil }
        guard isAuthentic(bytes[24...], "refresh", Array(bytes[..<24])), let session = Session.ID(octets: bytes[..<16]) else { return nil }
        return (session, Int64(bitPattern: word(bytes[16..<24])))
    }

    private var currentKey: Secret { keys.withLock { $0[0] } }

    private func isAuthentic(_ code: ArraySlice<UInt8>, _ purpose: StaticString, _ name: [UInt8]) -> Bool {
        let code = Array(code)
        return keys.withLock { $0 }.contains { constantTimeEqual(authenticate(purpose, name, key: $0), code) }
    }

    /// The purpose ends with a NUL: no name of one purpose reads like that of another.
    private func authenticate(_ purpose: StaticString, _ name: [UInt8], key: Secret) -> [UInt8] {
        var message = Array(UnsafeBufferPointer(start: purpose.utf8Start, count: purpose.utf8CodeUnitCount))
        message.append(0)
        message += name
        return HMACSHA256.authenticate(message, key: key)
    }
}

/// The prefix by which people and secret scanners know a token.
private enum Kind: String {
    case session = "gst_"
    case refresh = "grt_"

    func text(_ bytes: [UInt8]) -> Secret { Secret(Array(rawValue.utf8) + Base64URL.encoded(bytes)) }

    func bytes(of text: some StringProtocol) -> [UInt8]? {
        guard text.utf8.count < 256, text.hasPrefix(rawValue) else { return nil }
        return Base64URL.decode(Array(text.utf8.dropFirst(rawValue.utf8.count)))
    }
}

/// Big-endian.
private func octets(_ word: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - $0 * 8)) } }
private func word(_ octets: ArraySlice<UInt8>) -> UInt64 { octets.reduce(0) { $0 << 8 | UInt64($1) } }

extension Identifier {
    fileprivate var octets: [UInt8] { GateIdentity.octets(high) + GateIdentity.octets(low) }

    fileprivate init?(octets: ArraySlice<UInt8>) {
        guard octets.count == 16 else { return nil }
        self.init(high: word(octets.prefix(8)), low: word(octets.suffix(8)))
    }
}
