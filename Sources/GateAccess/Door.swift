import Synchronization

/// The way into what lies behind Gatehouse: who may pass, and what is counted. A site has one.
package struct Door: Sendable {
    /// The site's: for log lines, and the audience (`aud`) of the assertions made for it.
    package private(set) var name: String
    package let access: AccessRule
    package let policies: [RoutePolicy]
    /// Tells doors apart, in this process and for as long as it lives; identities are remembered by it.
    let number: UInt64

    package init(name: String, access: AccessRule, policies: [RoutePolicy]) {
        self.name = name
        self.access = access
        self.policies = policies
        number = Self.numbers.add(1, ordering: .relaxed).oldValue
    }

    /// The same door to an application of another name.
    package func named(_ name: String) -> Door {
        var door = self
        door.name = name
        return door
    }

    private static let numbers = Atomic<UInt64>(1)
}

/// Where a request belongs, by its host and path.
package enum DoorMatch: Sendable {
    case door(Door)
    /// No site covers it.
    case none
    /// The path has two readings (CHECKLIST 32): nobody is let through.
    case ambiguous
}

/// The doors of all sites, for those who ask on behalf of another proxy.
package protocol DoorDirectory: Sendable {
    /// Called on an event loop: answers in place.
    ///
    /// - Parameters:
    ///   - authority: as in ``Request/authority``: lower case, perhaps with a port.
    ///   - path: as it was sent.
    func door(authority: String, path: Substring) -> DoorMatch
}

/// Where there is no site.
package struct NoDoors: DoorDirectory {
    package init() {}
    package func door(authority: String, path: Substring) -> DoorMatch { .none }
}
