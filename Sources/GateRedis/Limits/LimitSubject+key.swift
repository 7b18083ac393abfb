import GateCore
package import GateLimits

/// The key that a policy and a subject are counted under: `PREFIXlimit:SUBJECT:POLICY`.
///
///     user-HEX32  session-HEX32  local
///     ip4-HEX8-PREFIX  ip6-HEX32-PREFIX  the same with -HEX16 behind it, the keyed hash of an account
///
/// A subject has no colon, so that the rest is the policy's name, whatever that holds.
package enum LimitKeyName {
    package static func text(_ subject: LimitSubject, policy: String, prefix: String) -> String {
        "\(prefix)limit:\(text(subject)):\(policy)"
    }

    /// - Returns: `nil` for a key that is none of ours.
    package static func read(_ key: some StringProtocol, prefix: String) -> (subject: LimitSubject, policy: String)? {
        let start = prefix + "limit:"
        guard key.hasPrefix(start) else { return nil }
        let rest = key.dropFirst(start.count)
        guard let colon = rest.firstIndex(of: ":"), let subject = subject(rest[..<colon]) else { return nil }
        return (subject, String(rest[rest.index(after: colon)...]))
    }

    /// What SCAN is asked for: all keys, or those of one policy. The names are taken literally.
    static func pattern(policy: String?, prefix: String) -> String {
        literal(prefix) + "limit:*" + (policy.map { ":" + literal($0) } ?? "")
    }

    private static func literal(_ text: String) -> String {
        String(text.flatMap { "*?[]\\^-".contains($0) ? ["\\", $0] : [$0] })
    }

    private static func text(_ subject: LimitSubject) -> String {
        switch subject {
        case .network(let network): text(network)
        case .user(let high, let low): "user-\(hex(high))\(hex(low))"
        case .session(let high, let low): "session-\(hex(high))\(hex(low))"
        case .networkAndAccount(let network, let account): "\(text(network))-\(hex(account))"
        case .local: "local"
        }
    }

    private static func text(_ network: IPNetwork) -> String {
        network.base.isIPv4
            ? "ip4-\(hex(network.base.low, digits: 8))-\(network.prefix)"
            : "ip6-\(hex(network.base.high))\(hex(network.base.low))-\(network.prefix)"
    }

    private static func subject(_ text: some StringProtocol) -> LimitSubject? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        switch (parts.first, parts.count) {
        case ("local", 1): return .local
        case ("user", 2):
            guard let (high, low) = halves(parts[1]) else { return nil }
            return .user(high: high, low: low)
        case ("session", 2):
            guard let (high, low) = halves(parts[1]) else { return nil }
            return .session(high: high, low: low)
        case ("ip4", 3), ("ip6", 3), ("ip4", 4), ("ip6", 4):
            guard let network = network(parts[0], parts[1], parts[2]) else { return nil }
            guard parts.count == 4 else { return .network(network) }
            guard let account = number(parts[3], digits: 16) else { return nil }
            return .networkAndAccount(network, account: account)
        default: return nil
        }
    }

    private static func network(_ kind: some StringProtocol, _ base: some StringProtocol, _ prefix: some StringProtocol) -> IPNetwork? {
        guard let prefix = Int(prefix), (0...128).contains(prefix) else { return nil }
        if kind == "ip4" {
            guard let low = number(base, digits: 8), prefix <= 32 else { return nil }
            return IPNetwork(IPAddress(ipv4: UInt32(truncatingIfNeeded: low)), prefix: prefix)
        }
        guard let (high, low) = halves(base) else { return nil }
        return IPNetwork(IPAddress(high: high, low: low), prefix: prefix)
    }

    private static func halves(_ text: some StringProtocol) -> (UInt64, UInt64)? {
        guard text.utf8.count == 32, let high = number(text.prefix(16), digits: 16), let low = number(text.suffix(16), digits: 16) else {
            return nil
        }
        return (high, low)
    }

    private static func number(_ text: some StringProtocol, digits: Int) -> UInt64? {
        guard text.utf8.count == digits else { return nil }
        var value: UInt64 = 0
        for digit in text.utf8 {
            guard let next = Hex.value(of: digit) else { return nil }
            value = value << 4 | UInt64(next)
        }
        return value
    }

    private static func hex(_ value: UInt64, digits: Int = 16) -> String {
        String(unsafeUninitializedCapacity: digits) { buffer in
            for place in 0..<digits {
                buffer[place] = Hex.digit(UInt8(truncatingIfNeeded: value >> UInt64((digits - 1 - place) * 4) & 0xF))
            }
            return digits
        }
    }
}
