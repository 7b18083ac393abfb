/// One running process of several on the same database.
package enum Instance {
    /// Made anew at each start.
    package typealias ID = Identifier<Instance>
}

/// The right of one instance to do a piece of work, for a while.
package struct Lease: Hashable, Sendable {
    /// What work, such as `maintenance` or `certificate example.com`. ASCII, without line breaks, 255 bytes at most.
    package let name: String
    package let holder: Instance.ID
    /// Grows each time that the lease goes to somebody anew: what was begun under an older one is told from what is under this
    /// one (a fencing token).
    package let generation: Int64
    /// By the holder's own clock, never later than the store counts it. From then on somebody else may have it.
    package let end: MonotonicInstant

    package init(name: String, holder: Instance.ID, generation: Int64, end: MonotonicInstant) {
        self.name = name
        self.holder = holder
        self.generation = generation
        self.end = end
    }
}

/// What became of a wish for a lease.
package enum LeaseAnswer: Hashable, Sendable {
    case granted(Lease)
    /// Somebody else has it, for `remaining` unless it is renewed or released.
    case taken(by: Instance.ID, remaining: Duration)

    package var lease: Lease? { if case .granted(let lease) = self { lease } else { nil } }
}
