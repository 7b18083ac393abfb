import GateCore

extension Identifier: CacheKey {
    /// The last bits of a UUIDv7 are random.
    var shardBits: UInt64 { low }
}
