import GateCore

/// A policy and a subject in 32 bytes. The policy is known by its place in the table that holds the key.
struct LimitKey: Equatable {
    private enum Kind: UInt8 {
        case network4
        case network6
        case user
        case session
        case network4AndAccount
        case network6AndAccount
        case local
    }

    /// Of all but the policy's place, which differs from table to table. Zero marks a free slot.
    private(set) var hash: UInt32 = 0
    var policy: UInt16 = 0
    private let kind: Kind
    private let prefix: UInt8
    private let high: UInt64
    private let low: UInt64
    private let account: UInt64

    /// What a free slot holds.
    static let none = LimitKey(.local)

    private init(_ subject: LimitSubject) {
        switch subject {
        case .network(let network):
            kind = network.base.isIPv4 ? .network4 : .network6
            prefix = UInt8(truncatingIfNeeded: network.prefix)
            high = network.base.high
            low = network.base.low
            account = 0
        case .user(let high, let low):
            kind = .user
            prefix = 0
            self.high = high
            self.low = low
            account = 0
        case .session(let high, let low):
            kind = .session
            prefix = 0
            self.high = high
            self.low = low
            account = 0
        case .networkAndAccount(let network, let account):
            kind = network.base.isIPv4 ? .network4AndAccount : .network6AndAccount
            prefix = UInt8(truncatingIfNeeded: network.prefix)
            high = network.base.high
            low = network.base.low
            self.account = account
        case .local:
            kind = .local
            prefix = 0
            high = 0
            low = 0
            account = 0
        }
    }

    /// The key without the policy's place, and 64 bits of hash to choose a shard by: SipHash with the seed of this process, so that
    /// nobody outside can make keys meet in one place.
    static func hashed(_ question: LimitQuestion) -> (key: LimitKey, full: UInt64) {
        var key = LimitKey(question.subject)
        var hasher = Hasher()
        hasher.combine(question.policy.id ^ UInt64(key.kind.rawValue) << 8 ^ UInt64(key.prefix))
        hasher.combine(key.high)
        hasher.combine(key.low)
        if key.account != 0 { hasher.combine(key.account) }
        let full = UInt64(bitPattern: Int64(hasher.finalize()))
        key.hash = max(1, UInt32(truncatingIfNeeded: full))
        return (key, full)
    }

    var subject: LimitSubject {
        switch kind {
        case .network4, .network6: .network(network)
        case .user: .user(high: high, low: low)
        case .session: .session(high: high, low: low)
        case .network4AndAccount, .network6AndAccount: .networkAndAccount(network, account: account)
        case .local: .local
        }
    }

    private var network: IPNetwork {
        let isIPv4 = kind == .network4 || kind == .network4AndAccount
        return IPNetwork(
            isIPv4 ? IPAddress(ipv4: UInt32(truncatingIfNeeded: low)) : IPAddress(high: high, low: low), prefix: Int(prefix))
    }
}

/// A slot of a ``LimitTable``: 64 bytes, one line of the cache.
struct LimitEntry: ~Copyable {
    let key: LimitKey
    var log = SlidingWindowLog()

    init(_ key: LimitKey) { self.key = key }

    /// A free slot.
    init() { key = .none }

    var isFree: Bool { key.hash == 0 }
}
