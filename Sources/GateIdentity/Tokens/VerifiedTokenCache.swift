import GateCore

/// The tokens that were found authentic, by their whole text, with what they say: a token is verified once, not at every request.
///
/// Only what never changes is remembered. Whether the token has expired or was revoked is asked each time. When a key is taken away,
/// everything is forgotten.
final class VerifiedTokenCache<Content: Sendable>: Sendable {
    /// Compared as a whole, hashed by its last 16 bytes: these belong to the signature or code, which nobody can choose.
    private struct Key: CacheKey {
        let text: String
        let first: UInt64
        let second: UInt64

        /// `nil` for a text too short to be a token.
        init?(_ text: String) {
            var text = text
            let words: (UInt64, UInt64)? = text.withUTF8 { bytes in
                guard bytes.count >= 16 else { return nil }
                let tail = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[(bytes.count - 16)...])
                return (tail.loadUnaligned(as: UInt64.self), tail.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            }
            guard let words else { return nil }
            self.text = text
            (first, second) = words
        }

        /// The six low bits of one base64url character are nearly all of its information.
        var shardBits: UInt64 { first ^ first >> 5 }
        func hash(into hasher: inout Hasher) {
            hasher.combine(first)
            hasher.combine(second)
        }
        static func == (left: Key, right: Key) -> Bool {
            left.first == right.first && left.second == right.second && left.text == right.text
        }
    }

    private let cache: ShardedCache<Key, Content>

    /// - Parameter capacity: in tokens.
    init(capacity: Int) { cache = ShardedCache(capacity: capacity) }

    /// The content of a token seen before, or of one that `verify` finds authentic; `nil` for one that it does not.
    func find(_ token: String, orVerify verify: () -> Content?) -> Content? {
        guard let key = Key(token) else { return nil }
        if let known = cache.value(for: key) { return known }
        let ticket = cache.ticket(for: key)
        guard let content = verify() else { return nil }
        cache.store(content, for: key, ticket: ticket)
        return content
    }

    func removeAll() { cache.removeAll() }
    var count: Int { cache.count }
}
