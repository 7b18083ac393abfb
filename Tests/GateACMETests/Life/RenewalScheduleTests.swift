import GateCore
import GateTesting
import Testing

@testable import GateACME

@Suite("Renewal schedule")
struct RenewalScheduleTests {
    static let start = Timestamp(seconds: 1_800_000_000)

    static func schedule(_ lifetime: Duration, draw: Double = 0, window: RenewalInfo? = nil) -> RenewalSchedule {
        RenewalSchedule(notBefore: start, notAfter: start + lifetime, draw: draw, window: window)
    }

    @Test(
        "CHECKLIST 36: without a window, at a third of the life left, a half below ten days, and a little earlier by chance",
        arguments: [
            (Duration.days(398), 1.0 / 3), (.days(90), 1.0 / 3), (.days(45), 1.0 / 3), (.days(10), 1.0 / 3), (.days(6), 0.5),
            (.hours(9 * 24 + 23), 0.5), (.hours(2), 0.5), (.seconds(90), 0.5),
        ] as [(Duration, Double)])
    func withoutWindow(lifetime: Duration, left: Double) {
        let latest = Self.start + (lifetime - lifetime * left)
        #expect(abs((Self.schedule(lifetime).renewal - latest).wholeMilliseconds) <= 1)
        let earliest = Self.schedule(lifetime, draw: 0.999).renewal
        #expect(earliest < latest && earliest > latest - lifetime * left / 19)
    }

    @Test("CHECKLIST 36: within a window the moment is uniform")
    func uniform() {
        let window = RenewalInfo(start: Self.start + .days(50), end: Self.start + .days(60))
        let entropy = SeededEntropy()
        var tenths = [Int](repeating: 0, count: 10)
        for _ in 0..<10_000 {
            let draw = Double(entropy.next() >> 11) * 0x1p-53
            let moment = Self.schedule(.days(90), draw: draw, window: window).renewal - window.start
            tenths[Int(moment.wholeMilliseconds * 10 / Duration.days(10).wholeMilliseconds)] += 1
        }
        #expect(tenths.allSatisfy { (850...1150).contains($0) }, "\(tenths)")
    }

    @Test(
        "A window in the past is now; one beyond the last tenth of the life is not waited for; it may come before a third is left, and after"
    )
    func oddWindows() {
        func renewal(_ from: Duration, _ to: Duration) -> Timestamp {
            Self.schedule(.days(90), draw: 0.5, window: RenewalInfo(start: Self.start + from, end: Self.start + to)).renewal
        }
        #expect(renewal(.days(-4), .days(-2)) == Self.start - .days(3))
        #expect(renewal(.days(10), .days(20)) == Self.start + .days(15))
        #expect(renewal(.days(70), .days(74)) == Self.start + .days(72))
        #expect(renewal(.days(88), .days(400)) == Self.start + .days(81))
        #expect(RenewalSchedule(notBefore: Self.start, notAfter: Self.start - .days(1), draw: 0.3).lifetime == .zero)
    }

    @Test(
        "Health by what is left of a life",
        arguments: [
            (Duration.days(90), Duration.days(31), CertificateHealth.sound), (.days(90), .days(29), .sound),
            (.days(90), .days(23), .overdue),
            (.days(90), .hours(71), .urgent), (.days(90), .seconds(0), .urgent), (.days(90), .seconds(-1), .expired),
            (.days(6), .hours(80), .sound), (.days(6), .hours(50), .overdue), (.days(6), .hours(23), .urgent),
            (.seconds(90), .seconds(50), .sound), (.seconds(90), .seconds(30), .overdue), (.seconds(90), .seconds(14), .urgent),
        ] as [(Duration, Duration, CertificateHealth)])
    func health(lifetime: Duration, left: Duration, expected: CertificateHealth) {
        #expect(Self.schedule(lifetime).health(at: Self.start + lifetime - left) == expected)
    }

    @Test("Nobody is warned while the authority itself wants the renewal later")
    func lateWindow() {
        let window = RenewalInfo(start: Self.start + .days(75), end: Self.start + .days(76))
        #expect(Self.schedule(.days(90), window: window).health(at: Self.start + .days(70)) == .sound)
        #expect(Self.schedule(.days(90), window: window).health(at: Self.start + .days(77)) == .overdue)
    }
}
