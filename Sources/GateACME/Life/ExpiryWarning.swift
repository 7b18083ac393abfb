package import GateCore

/// When the operator was last told that a certificate's end is near: when it gets worse, and then once a day.
package struct ExpiryWarning: Sendable {
    private var health = CertificateHealth.sound
    private var again: MonotonicInstant?
    private static let interval = Duration.seconds(86_400)

    package init() {}

    /// Whether it is to be told now.
    package mutating func isDue(_ health: CertificateHealth, at now: MonotonicInstant) -> Bool {
        defer { self.health = health }
        guard health > .sound else {
            again = nil
            return false
        }
        if health <= self.health, let again, now < again { return false }
        again = now + Self.interval
        return true
    }
}
