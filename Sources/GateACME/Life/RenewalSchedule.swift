package import GateCore

/// When a certificate is to be renewed, and when its end is too near (CHECKLIST 36). No lifetime is assumed.
package struct RenewalSchedule: Hashable, Sendable {
    package let notBefore: Timestamp
    package let notAfter: Timestamp
    /// From 0 up to 1, drawn once for each certificate and kept with it: drawn anew at each restart, it would draw renewal near.
    package let draw: Double
    /// What the authority suggests (RFC 9773 §4.2); followed wherever it moves.
    package var window: RenewalInfo?

    package init(notBefore: Timestamp, notAfter: Timestamp, draw: Double, window: RenewalInfo? = nil) {
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.draw = draw
        self.window = window
    }

    package var lifetime: Duration { max(.zero, notAfter - notBefore) }

    /// A third of the life, a half where it is shorter than ten days.
    private var reserve: Duration { lifetime < .seconds(10 * 86_400) ? lifetime / 2 : lifetime / 3 }

    /// A moment drawn uniformly from the authority's window; without one, when the reserve begins, or up to a twentieth of the
    /// reserve earlier: servers installed together shall not renew together.
    ///
    /// A window that leaves less than a tenth of the life is not waited for.
    package var renewal: Timestamp {
        guard let window else { return notAfter - reserve - reserve * (draw / 20) }
        return min(window.start + (window.end - window.start) * draw, notAfter - lifetime / 10)
    }

    package func health(at now: Timestamp) -> CertificateHealth {
        let left = notAfter - now
        if left < .zero { return .expired }
        if left < min(.seconds(3 * 86_400), lifetime / 6) { return .urgent }
        // A fifth of the reserve is for failures that mend themselves.
        return now > renewal && left < reserve * 4 / 5 ? .overdue : .sound
    }
}

/// How near the end of a certificate is. In the order of severity.
package enum CertificateHealth: String, Hashable, Comparable, Sendable {
    case sound
    /// It should have been renewed by now: something keeps failing.
    case overdue
    /// Under three days are left, or under a sixth of a life shorter than 18 days.
    case urgent
    case expired

    private var severity: Int {
        switch self {
        case .sound: 0
        case .overdue: 1
        case .urgent: 2
        case .expired: 3
        }
    }

    package static func < (left: Self, right: Self) -> Bool { left.severity < right.severity }
}
