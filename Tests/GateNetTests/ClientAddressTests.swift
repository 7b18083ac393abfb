import GateCore
import Testing

@testable import GateNet

@Suite("Outgoing addresses")
struct ClientAddressTests {
    @Test(
        "CHECKLIST 59: addresses that a user may name never lead inside",
        arguments: [
            "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255", "127.0.0.1",
            "127.8.8.8",
            "168.63.129.16", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1",
            "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1",
            "255.255.255.255",
            "::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1",
            "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::8.8.8.8", "100::1", "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:10::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::", "2002:808:808::1",
            "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fd20:ce::254", "fe80::1", "fec0::1", "ff02::1", "4000::1",
        ])
    func forbidden(_ text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(!EgressRule.public.allows(address))
        #expect(EgressRule.any.allows(address))
    }

    @Test(
        "Public addresses are reached",
        arguments: [
            "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
            "168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2001:200::1",
            "2001:4860:4860::8888", "2003::1", "2606:4700::1111", "2a00:1450::1", "3ffe::1",
        ])
    func allowed(_ text: String) throws {
        #expect(EgressRule.public.allows(try #require(IPAddress(text))))
    }

    private static func addresses(_ texts: String...) -> [IPAddress] { texts.map { IPAddress($0)! } }

    @Test("Families alternate, beginning with the one that the system prefers; each address once")
    func order() {
        let sorted = Self.addresses("2001:db8::1", "2001:db8::2", "2001:db8::1", "192.0.2.1", "2001:db8::3")
        #expect(AddressRace.interleaved(sorted) == Self.addresses("2001:db8::1", "192.0.2.1", "2001:db8::2", "2001:db8::3"))
        #expect(AddressRace.interleaved(Self.addresses("192.0.2.1", "192.0.2.2")) == Self.addresses("192.0.2.1", "192.0.2.2"))
    }

    @Test("A silent address keeps the next one waiting for a moment only, a failing one not at all")
    func race() {
        let (six, four, last) = (IPAddress("2001:db8::1")!, IPAddress("192.0.2.1")!, IPAddress("2001:db8::2")!)
        var now = MonotonicInstant(nanoseconds: 0)
        var race = AddressRace([six, last, four], delay: .milliseconds(250))
        #expect(race.start(now) == [.attempt(six), .wake(now + .milliseconds(250))])
        now = now + .milliseconds(249)
        #expect(race.tick(now) == [], "Too early.")
        now = now + .milliseconds(1)
        #expect(race.tick(now) == [.attempt(four), .wake(now + .milliseconds(250))])
        now = now + .milliseconds(10)
        #expect(race.failed(now) == [.attempt(last)])
        #expect(race.tick(now + .seconds(1)) == [], "There is nothing left to try.")
        #expect(race.failed(now) == [], "One is still under way.")
        #expect(race.failed(now) == [.lost])
    }

    @Test("A single address is tried once, without a clock")
    func single() {
        let address = IPAddress("192.0.2.1")!
        var race = AddressRace([address], delay: .milliseconds(250))
        #expect(race.start(MonotonicInstant(nanoseconds: 0)) == [.attempt(address)])
        #expect(race.failed(MonotonicInstant(nanoseconds: 1)) == [.lost])
    }
}
