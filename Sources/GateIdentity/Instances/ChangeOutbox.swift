/// Changes that the feed did not take, to be told again. Bounded: of too many is told that everything has changed.
package struct ChangeOutbox {
    package static let capacity = 1000

    package private(set) var changes: [IdentityChange] = []
    private var isBeingEmptied = false

    package init() {}

    /// Whether somebody has to empty it: said once, until it was emptied.
    package mutating func needsEmptying() -> Bool {
        guard !changes.isEmpty, !isBeingEmptied else { return false }
        isBeingEmptied = true
        return true
    }

    package mutating func add(_ more: [IdentityChange]) {
        changes += more
        if changes.count > Self.capacity || changes.contains(.everything) { changes = [.everything] }
    }

    package mutating func takeAll() -> [IdentityChange] {
        defer {
            changes = []
            isBeingEmptied = false
        }
        return changes
    }
}
