import GateCore
import Testing

@Suite("Addresses and networks")
struct IPAddressTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("::", "::"), ("::1", "::1"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"), ("[2001:db8::1]", "2001:db8::1"), ("fe80::1:2:3:4", "fe80::1:2:3:4"),
        ("::ffff:192.0.2.1", "192.0.2.1"), ("::FFFF:c000:0201", "192.0.2.1"), ("[::ffff:192.0.2.1]", "192.0.2.1"),
        ("::fffe:192.0.2.1", "::fffe:c000:201"), ("64:ff9b::192.0.2.1", "64:ff9b::c000:201"),
    ])
    func addresses(text: String, canonical: String) {
        #expect(IPAddress(text)?.description == canonical)
        #expect(IPAddress(canonical) == IPAddress(text))
    }

    @Test(arguments: [
        "", " ", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.04", "0x7f.0.0.1", "2130706433", "127.1", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4\0",
        "1.2.3.4\0.example", "::1\0", "[1.2.3.4]", "[::1", "::1]", "[[::1]]", "[]", "fe80::1%eth0", ":::", "1::2::3", "12345::", "g::",
        "::1.2.3", "1.2.3.4:80", "[::1]:80", "localhost", "١.2.3.4",
    ])
    func refusedAddresses(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.0.0.0/8", "::ffff:10.1.1.1", true),
        ("::ffff:10.0.0.0/104", "10.1.1.1", true), ("::ffff:10.0.0.0/104", "11.1.1.1", false), ("::ffff:0:0/96", "8.8.8.8", true),
        ("0.0.0.0/0", "8.8.8.8", true), ("0.0.0.0/0", "::1", false), ("::/0", "::1", true), ("::/0", "8.8.8.8", false),
        ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false), ("192.0.2.1/32", "192.0.2.1", true),
        ("2001:db8::/32", "2001:db8:ffff::1", true), ("2001:db8::/32", "2001:db9::1", false), ("fe80::/10", "febf::1", true),
        ("fe80::/10", "fec0::1", false), ("2001:db8::8/125", "2001:db8::f", true), ("2001:db8::8/125", "2001:db8::10", false),
        ("2001:db8:0:1::/64", "2001:db8:0:1:ffff::", true), ("2001:db8::/65", "2001:db8::8000:0:0:1", false),
    ])
    func networks(network: String, address: String, isInside: Bool) throws {
        let network = try #require(IPNetwork(network))
        let address = try #require(IPAddress(address))
        #expect(network.contains(address) == isInside)
        #expect(IPNetwork(network.description) == network)
    }

    @Test(arguments: [
        "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8 ", "10.0.0.0/8/8", "10.0.0.1/8", "::1/64",
        "::/129",
        "10.0.0.0/255.0.0.0", "10/8", "::ffff:10.0.0.0/8", "::ffff:10.0.0.1/104", "10.0.0.0/99999999999999999999", "10.0.0.0/８", "x/8",
    ])
    func refusedNetworks(text: String) {
        #expect(IPNetwork(text) == nil)
    }

    @Test(
        "CHECKLIST 35: limits count IPv4 by address and IPv6 by /64",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("::1", "::/64"),
        ])
    func limitedNetworks(address: String, network: String) {
        #expect(IPAddress(address)?.limitedNetwork.description == network)
    }

    @Test func prefixesOutOfRangeAreBroughtIntoIt() {
        #expect(IPNetwork(IPAddress(ipv4: 0xFFFF_FFFF), prefix: 40).prefix == 32)
        #expect(IPNetwork(IPAddress(ipv4: 0xFFFF_FFFF), prefix: -1).base == IPAddress(ipv4: 0))
        #expect(IPNetwork(IPAddress(high: .max, low: .max), prefix: 200).prefix == 128)
    }
}
