import GateCore
import GateIdentity
import GateTesting
import Testing

@Suite("The refresh family")
struct RefreshFamilyTests {
    private static let start = Sample.start

    /// Uses tokens one after the other and says what came of each.
    private func play(_ uses: [(generation: Int64, milliseconds: Int)]) -> [String] {
        var family = RefreshFamily(session: Sample.session(of: Sample.id()), rotations: RecentRotations())
        return uses.map { use in
            let before = family
            let outcome = family.use(
                RefreshRotation(
                    session: family.session.id, generation: use.generation, device: family.session.device,
                    now: Self.start + .milliseconds(use.milliseconds), grace: .seconds(10), accessLifetime: .seconds(300)))
            switch outcome {
            case .rotated(let session):
                #expect(session == family.session)
                return "\(session.refreshGeneration)"
            case .unknown:
                #expect(family == before)
                return "unknown"
            case .reused:
                #expect(family == before)
                return "reused"
            }
        }
    }

    @Test(
        "CHECKLIST 1, 2: a token moves the family once, may be shown again for ten seconds, and is a reuse after",
        arguments: [
            ([(0, 0), (1, 1), (2, 2)], ["1", "2", "3"]),
            ([(0, 0), (0, 0), (0, 10_000)], ["1", "1", "1"]),
            ([(0, 0), (0, 10_001)], ["1", "reused"]),
            ([(0, 0), (1, 9000), (0, 10_000), (0, 10_001)], ["1", "2", "2", "reused"]),
            ([(0, 0), (1, 20_000), (0, 20_001)], ["1", "2", "reused"]),
            ([(0, 0), (1, 20_000), (1, 20_001)], ["1", "2", "2"]),
            ([(1, 0)], ["unknown"]),
            ([(-1, 0), (.min, 0), (.max, 0)], ["unknown", "unknown", "unknown"]),
            // CHECKLIST 52: a clock set back by a moment does no harm, one set back further makes the doubtful token a reuse.
            ([(0, 0), (0, -10_000)], ["1", "1"]),
            ([(0, 0), (0, -10_001)], ["1", "reused"]),
            ([(0, 0), (1, -86_400_000)], ["1", "2"]),
        ] as [([(Int64, Int)], [String])])
    func outcomes(_ uses: [(Int64, Int)], _ expected: [String]) {
        #expect(play(uses.map { (generation: $0.0, milliseconds: $0.1) }) == expected)
    }

    @Test("what is remembered is bounded")
    func bounded() {
        let uses = (0..<100).map { (generation: Int64($0), milliseconds: $0) }
        #expect(play(uses + [(84, 200), (83, 200)]).suffix(2) == ["100", "reused"])
    }

    @Test("CHECKLIST 3: access never outlives the session, and never shrinks")
    func access() {
        var session = Sample.session(of: Sample.id())
        session.extendAccess(until: Self.start + .seconds(10))
        #expect(session.accessExpiresAt == Self.start + .seconds(300))
        session.extendAccess(until: Self.start + .seconds(86_400))
        #expect(session.accessExpiresAt == session.expiresAt)
    }
}
