import GateCore
import GateIdentity
import GateLimits
import GateTesting
import Testing

@testable import GatehouseApp

@Suite("What runs on a schedule runs once")
struct MaintenanceServiceTests {
    private struct Rig {
        let services: [MaintenanceService]
        let recorder = LogRecorder()
        let time: ManualTime

        init(_ fixture: IdentityFixture) async throws {
            time = fixture.time
            let leases = MemoryLeaseStore(time: fixture.time)
            var services: [MaintenanceService] = []
            for _ in 0..<2 {
                services.append(
                    MaintenanceService(
                        identity: try await fixture.instance(changes: SoleInstance()).identity,
                        limits: MemoryLimitStore(time: fixture.time),
                        leases: InstanceLeases(store: leases, instance: Sample.id()), log: recorder.logger))
            }
            self.services = services
        }

        /// What the services say that they did, one after the other.
        func round() async -> [String] {
            let before = recorder.lines.count
            for service in services { await service.prune() }
            return recorder.lines.dropFirst(before).map { String($0.split(separator: " ", maxSplits: 1)[1].prefix(24)) }
        }
    }

    @Test("of two instances one deletes rows in an hour, whoever comes first")
    func once() async throws {
        try await IdentityFixture.with { fixture in
            let rig = try await Rig(fixture)
            for _ in 0..<3 {
                #expect(await rig.round() == ["Expired rows were delete", "Another instance deletes"])
                rig.time.advance(by: .seconds(3600))
            }
        }
    }

    @Test("an instance whose clock has jumped leaves it to the others")
    func clockJump() async throws {
        try await IdentityFixture.with { fixture in
            let rig = try await Rig(fixture)
            _ = await rig.round()
            rig.time.advance(by: .seconds(3600))
            rig.time.jumpWallClock(by: .seconds(86_400))
            #expect(await rig.round() == ["The clock has jumped: exp", "The clock has jumped: exp"].map { String($0.prefix(24)) })
            #expect(await rig.round() == ["Expired rows were delete", "Another instance deletes"], "the time that stays is believed")
        }
    }
}
