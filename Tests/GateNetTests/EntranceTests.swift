import GateCore
import NIOEmbedded
import Testing

@testable import GateNet

@Suite struct EntranceTests {
    private static let flood = IPAddress("192.0.2.1")!.limitedNetwork
    private static let honest = IPAddress("198.51.100.7")!.limitedNetwork

    private func entrant(from network: IPNetwork?, until seconds: UInt64 = 10) -> Entrance.Entrant {
        Entrance.Entrant(EmbeddedChannel(), from: network, deadline: MonotonicInstant(nanoseconds: seconds * 1_000_000_000))
    }

    @Test("CHECKLIST 57: a flood from one network pushes out its own, not the older handshake of another")
    func aFloodPushesOutItsOwn() {
        var entrance = Entrance(limit: 4)
        let slow = entrant(from: Self.honest)
        #expect(entrance.add(slow) == nil)
        var flood = (0..<3).map { _ in entrant(from: Self.flood) }
        for each in flood { #expect(entrance.add(each) == nil) }
        for _ in 0..<1000 {
            let next = entrant(from: Self.flood)
            flood.append(next)
            #expect(entrance.add(next) === flood.removeFirst())
        }
        #expect(entrance.count == 4)
        entrance.remove(slow)
        #expect(entrance.count == 3)
    }

    @Test func `among networks with as many, the oldest goes`() {
        var entrance = Entrance(limit: 3)
        let entrants = (1...4).map { entrant(from: IPAddress(ipv4: $0).limitedNetwork) }
        for each in entrants.dropLast() { #expect(entrance.add(each) == nil) }
        #expect(entrance.add(entrants[3]) === entrants[0])
    }

    @Test func `who is through counts no more`() {
        var entrance = Entrance(limit: 2)
        let (first, second, third) = (entrant(from: Self.flood), entrant(from: Self.honest), entrant(from: Self.honest))
        _ = entrance.add(first)
        _ = entrance.add(second)
        entrance.remove(second)
        entrance.remove(second)
        #expect(entrance.add(third) == nil)
        #expect(entrance.add(entrant(from: Self.flood)) === first)
        #expect(entrance.count == 2)
    }

    @Test func `time runs out in the order of arrival`() {
        var entrance = Entrance(limit: 8)
        let entrants = (1...3).map { entrant(from: nil, until: $0) }
        for each in entrants { _ = entrance.add(each) }
        #expect(entrance.removeExpired(at: MonotonicInstant(nanoseconds: 999_999_999)) == nil)
        #expect(entrance.removeExpired(at: MonotonicInstant(nanoseconds: 2_000_000_000)) === entrants[0])
        #expect(entrance.removeExpired(at: MonotonicInstant(nanoseconds: 2_000_000_000)) === entrants[1])
        #expect(entrance.removeExpired(at: MonotonicInstant(nanoseconds: 2_000_000_000)) == nil)
    }
}
