package import GateCore
import Synchronization

/// So many requests in so long a time: at most `limit` are admitted in any `window`, wherever it begins (a sliding window log).
///
/// The name comes from the configuration, never from a request: stores keep what they learn of a policy for good. Two policies of
/// one name are the same policy; a changed limit or window applies to what has been counted already.
///
/// A value of 8 bytes that copies as a word: requests pass policies on by the dozen. What it says lies in a place of its own, made once
/// for each different policy of the process and never freed.
package struct LimitPolicy: Hashable, Sendable {
    /// What a policy may admit in one window. None means that everything is refused.
    package static let limits = 0...1_000_000_000
    /// From a millisecond, the unit in which windows are counted, to a year.
    package static let windows: ClosedRange<Duration> = .milliseconds(1)...(.seconds(366 * 86_400))

    /// Printable ASCII; shown in headers and by `gatehouse limit list`.
    package var name: String { terms.name }
    package var limit: Int { terms.limit }
    /// Whole milliseconds: what is between two is rounded up.
    package var window: Duration { .milliseconds(Int64(windowTicks)) }

    /// The hash of the name (FNV-1a): names are the operator's, so nobody is there to make two of them collide.
    var id: UInt64 { terms.id }
    /// The window in milliseconds.
    var windowTicks: UInt64 { terms.windowTicks }
    /// The name as a structured string (RFC 9651 §3.3.3): `"api"`.
    var quotedName: UnsafeBufferPointer<UInt8> { interned.pointer.pointee.quotedName }
    /// The lines that begin with the limit, up to how many requests remain.
    var limitLine: UnsafeBufferPointer<UInt8> { interned.pointer.pointee.limitLine }
    /// Its item of `RateLimit-Policy`: `"api";q=100;w=60`, the window rounded up to whole seconds.
    var quota: UnsafeBufferPointer<UInt8> { interned.pointer.pointee.quota }

    private let interned: InternedTerms
    private var terms: Terms { interned.pointer.pointee.terms }

    /// Values outside ``limits`` and ``windows`` are brought to the nearest: the configuration has refused them before.
    package init(name: String, limit: Int, window: Duration) {
        let window = min(max(window, Self.windows.lowerBound), Self.windows.upperBound)
        let (seconds, attoseconds) = window.components
        interned = InternedTerms.of(
            Terms(
                name: name, limit: min(max(limit, Self.limits.lowerBound), Self.limits.upperBound),
                windowTicks: UInt64(seconds) * 1000 + UInt64(attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000,
                id: name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }))
    }

    package static func == (left: LimitPolicy, right: LimitPolicy) -> Bool { left.interned.pointer == right.interned.pointer }

    package func hash(into hasher: inout Hasher) { hasher.combine(id) }

    fileprivate struct Terms: Hashable {
        let name: String
        let limit: Int
        let windowTicks: UInt64
        let id: UInt64
    }
}

/// Sendable although it is a pointer: what it leads to is never changed and never freed.
private struct InternedTerms: @unchecked Sendable {
    struct Content {
        let terms: LimitPolicy.Terms
        let quotedName: UnsafeBufferPointer<UInt8>
        let limitLine: UnsafeBufferPointer<UInt8>
        let quota: UnsafeBufferPointer<UInt8>
    }

    let pointer: UnsafePointer<Content>

    private static let all = Mutex<[LimitPolicy.Terms: InternedTerms]>([:])

    static func of(_ terms: LimitPolicy.Terms) -> InternedTerms {
        all.withLock { all in
            if let known = all[terms] { return known }
            let place = UnsafeMutablePointer<Content>.allocate(capacity: 1)
            let name = quoted(terms.name)
            let limitLine = "X-RateLimit-Limit: \(terms.limit)\r\nX-RateLimit-Remaining: "
            let quota = "\(String(decoding: name, as: UTF8.self));q=\(terms.limit);w=\((terms.windowTicks + 999) / 1000)"
            place.initialize(
                to: Content(
                    terms: terms, quotedName: kept(name), limitLine: kept(Array(limitLine.utf8)), quota: kept(Array(quota.utf8))))
            let made = InternedTerms(pointer: UnsafePointer(place))
            all[terms] = made
            return made
        }
    }

    /// A structured string is printable ASCII (RFC 9651 §3.3.3).
    private static func quoted(_ name: String) -> [UInt8] {
        var quoted = [UInt8(ascii: "\"")]
        for byte in name.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { quoted.append(UInt8(ascii: "\\")) }
            quoted.append((0x20...0x7E).contains(byte) ? byte : UInt8(ascii: "?"))
        }
        quoted.append(UInt8(ascii: "\""))
        return quoted
    }

    private static func kept(_ bytes: [UInt8]) -> UnsafeBufferPointer<UInt8> {
        let place = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
        _ = place.initialize(from: bytes)
        return UnsafeBufferPointer(place)
    }
}

/// Who is counted.
package enum LimitSubject: Hashable, Sendable {
    /// All who come from one network, see `IPAddress.limitedNetwork`: IPv4 by address, IPv6 by /64.
    case network(IPNetwork)
    /// A signed-in user, by the two halves of the id.
    case user(high: UInt64, low: UInt64)
    /// One session of a user, by the two halves of its id.
    case session(high: UInt64, low: UInt64)
    /// One account as tried from one network. `account` is a keyed hash of the normalised e-mail address: nobody without the key
    /// can find two addresses that share it, and no address is kept in memory.
    case networkAndAccount(IPNetwork, account: UInt64)
    /// Whoever is on the same machine and came through a Unix socket.
    case local
}
