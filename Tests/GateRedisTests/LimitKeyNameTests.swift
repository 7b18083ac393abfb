import GateCore
import GateLimits
import GateRedis
import GateTesting
import Testing

@Suite("Keys of limits in Redis")
struct LimitKeyNameTests {
    static let subjects: [(LimitSubject, String)] = [
        (.local, "local"), (.user(high: 1, low: 0xAB), "user-000000000000000100000000000000ab"),
        (.session(high: .max, low: 0), "session-ffffffffffffffff0000000000000000"),
        (.network(IPNetwork(IPAddress(ipv4: 0xC000_0201), prefix: 32)), "ip4-c0000201-32"),
        (.network(IPNetwork(IPAddress(high: 0x2001_0DB8_0000_0001, low: 0), prefix: 64)), "ip6-20010db8000000010000000000000000-64"),
        (.networkAndAccount(IPNetwork(IPAddress(ipv4: 1), prefix: 32), account: 5), "ip4-00000001-32-0000000000000005"),
        (
            .networkAndAccount(IPNetwork(IPAddress(high: 0x2001_0DB8_0000_0001, low: 0), prefix: 64), account: .max),
            "ip6-20010db8000000010000000000000000-64-ffffffffffffffff"
        ),
    ]

    @Test("subject and policy are read back from the key")
    func roundTrip() throws {
        for (subject, text) in Self.subjects {
            for policy in ["api", "login-account", "a:b", "*"] {
                let key = LimitKeyName.text(subject, policy: policy, prefix: "gate:")
                #expect(key == "gate:limit:\(text):\(policy)")
                let read = try #require(LimitKeyName.read(key, prefix: "gate:"))
                #expect(read.subject == subject && read.policy == policy)
            }
        }
    }

    @Test(
        "others' keys are none of ours",
        arguments: [
            "", "limit:local:api", "gate:policies", "gate:limit:local", "gate:limit:user-1:api", "gate:limit:ip4-c0000201-33:api",
            "gate:limit:ip6-c0000201-64:api", "gate:limit:ip4-c0000201:api", "gate:limit:nobody:api",
            "gate:limit:user-\(String(repeating: "g", count: 32)):api",
            "gate:limit:ip4-c0000201-32-5:api", "gate:limit:local-1:api",
        ])
    func foreign(key: String) { #expect(LimitKeyName.read(key, prefix: "gate:") == nil) }
}
