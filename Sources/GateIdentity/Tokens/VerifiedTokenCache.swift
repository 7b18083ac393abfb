import GateCore
import Glibc

/// The tokens that were found authentic, by their whole text, with what they say: a token is verified once, not at every request.
///
/// Only what never changes is remembered. Whether the token has expired or was revoked is asked each time. When a key is taken away,
/// everything is forgotten.
final class VerifiedTokenCache<Content: Sendable>: Sendable {
    private final class Entry: Sendable {
        private let text: [UInt8]
        let content: Content

        init(_ text: Span<UInt8>, _ content: Content) {
            self.text = text.withUnsafeBufferPointer { Array($0) }
            self.content = content
        }

        func isOf(_ token: Span<UInt8>) -> Bool {
            token.withUnsafeBytes { token in
                text.withUnsafeBytes { text in token.count == text.count && memcmp(token.baseAddress!, text.baseAddress!, text.count) == 0 }
            }
        }
    }

    private let cache: ShardedCache<TokenTail, Entry>

    /// - Parameter capacity: in tokens.
    init(capacity: Int) { cache = ShardedCache(capacity: capacity) }

    /// The content of a token seen before, or of one that `verify` finds authentic; `nil` for one that it does not.
    ///
    /// - Parameter token: its text.
    func find(_ token: Span<UInt8>, orVerify verify: (String) -> Content?) -> Content? {
        guard let tail = TokenTail(of: token) else { return nil }
        if let known = cache.value(for: tail), known.isOf(token) { return known.content }
        let ticket = cache.ticket(for: tail)
        guard let content = verify(token.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }) else { return nil }
        cache.store(Entry(token, content), for: tail, ticket: ticket)
        return content
    }

    func removeAll() { cache.removeAll() }
    var count: Int { cache.count }
}

/// A token's last 16 bytes, folded: these belong to the signature or code, which nobody can choose. Two tokens that have them in common take
/// each other's place, and no more, as what is found is compared as a whole.
private struct TokenTail: CacheKey {
    private let bits: UInt64

    /// `nil` for a text too short to be a token.
    init?(of token: Span<UInt8>) {
        guard token.count >= 16 else { return nil }
        bits = token.withUnsafeBytes { bytes in
            bytes.loadUnaligned(fromByteOffset: bytes.count - 16, as: UInt64.self)
                ^ bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self)
        }
    }

    /// The six low bits of a base64url character are nearly all of its information.
    var shardBits: UInt64 { bits ^ bits >> 5 }
}
