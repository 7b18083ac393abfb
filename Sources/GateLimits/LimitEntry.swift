import GateCore

/// A policy and a subject in 28 bytes. The policy is known by its place in the table that holds the key.
struct LimitKey: Equatable {
    private enum Kind: UInt8 {
        case network
        case user
        case networkAndAccount
        case local
    }

    var policy: UInt16
    private let kind: Kind
    private let prefix: UInt8
    private let isIPv4: Bool
    private let high: UInt64
    private let low: UInt64
    private let account: UInt64

    init(_ subject: LimitSubject, policy: UInt16) {
        self.policy = policy
        switch subject {
        case .network(let network):
            kind = .network
            prefix = UInt8(truncatingIfNeeded: network.prefix)
            isIPv4 = network.base.isIPv4
            high = network.base.high
            low = network.base.low
            account = 0
        case .user(let high, let low):
            kind = .user
            prefix = 0
            isIPv4 = false
            self.high = high
            self.low = low
            account = 0
        case .networkAndAccount(let network, let account):
            kind = .networkAndAccount
            prefix = UInt8(truncatingIfNeeded: network.prefix)
            isIPv4 = network.base.isIPv4
            high = network.base.high
            low = network.base.low
            self.account = account
        case .local:
            kind = .local
            prefix = 0
            isIPv4 = false
            high = 0
            low = 0
            account = 0
        }
    }

    var subject: LimitSubject {
        switch kind {
        case .network: .network(network)
        case .user: .user(high: high, low: low)
        case .networkAndAccount: .networkAndAccount(network, account: account)
        case .local: .local
        }
    }

    private var network: IPNetwork {
        IPNetwork(isIPv4 ? IPAddress(ipv4: UInt32(truncatingIfNeeded: low)) : IPAddress(high: high, low: low), prefix: Int(prefix))
    }

    /// SipHash with the seed of this process: nobody outside can make keys meet in one place.
    func hash(policy: LimitPolicy) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(policy.id ^ UInt64(kind.rawValue) << 16 ^ UInt64(prefix) << 8 ^ (isIPv4 ? 1 : 0))
        hasher.combine(high)
        hasher.combine(low)
        if kind == .networkAndAccount { hasher.combine(account) }
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}

/// A slot of a ``LimitTable``: 64 bytes, one line of the cache.
struct LimitEntry: ~Copyable {
    /// Zero where the slot is free.
    var hash: UInt32
    let key: LimitKey
    var log = SlidingWindowLog()

    init(hash: UInt32, key: LimitKey) {
        self.hash = hash
        self.key = key
    }

    /// A free slot.
    init() { self.init(hash: 0, key: LimitKey(.local, policy: 0)) }
}
