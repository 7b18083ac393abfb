/// Who of several instances does what only one may do at a time: a port.
///
/// Time passes by the store's clock, the same for everybody, so that no instance's clock counts. A lease keeps others from beginning; it
/// does not stop a holder who was asleep while it ended. Where that matters, what is written is written together with a check that
/// the lease is still held, in the same transaction.
package protocol LeaseStore: Sendable {
    /// Gives the lease to `holder` if nobody has it, if its time is over, or if `holder` has it already, whose time then begins anew.
    ///
    /// Two parts of one process are one holder: they have to agree among themselves.
    ///
    /// - Parameter duration: at least a millisecond.
    /// - Throws: `StorageError`. Then the holder may have it or not: asking again does no harm.
    func acquire(_ name: String, by holder: Instance.ID, for duration: Duration) async throws -> LeaseAnswer

    /// Lets the time of a lease that is still held begin anew.
    ///
    /// - Returns: `nil` where it is not held any more: its time was over, whether somebody else has taken it or not.
    /// - Throws: `StorageError`.
    func renew(_ lease: Lease, for duration: Duration) async throws -> Lease?

    /// Gives the lease up, so that others need not wait. Nothing happens where it is not held any more.
    ///
    /// - Throws: `StorageError`: it then ends by itself.
    func release(_ lease: Lease) async throws
}
