/// Whose turn it is to speak with the authorities: a port. Of several instances that share a store one has the turn at a time.
package protocol OrderingTurn: Sendable {
    /// Runs `body` if nobody else has the turn, keeps the turn for as long as that takes, and gives it back.
    ///
    /// Where the turn is lost meanwhile, since whoever keeps account of it could not be reached in time, the task that `body` runs in is
    /// cancelled; its writes are refused from the moment that another instance has the turn.
    ///
    /// - Returns: whether `body` was run: otherwise it is another's turn, or it cannot be known whose.
    func take(_ body: @escaping @Sendable () async -> Void) async -> Bool
}

/// No other instance.
package struct SoleOrderer: OrderingTurn {
    package init() {}

    package func take(_ body: @escaping @Sendable () async -> Void) async -> Bool {
        await body()
        return true
    }
}
