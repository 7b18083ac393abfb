/// What must be on disk before the client goes on, so that a restart neither registers nor orders again.
package enum ACMERecord: Sendable {
    /// The account was registered, or found by its key.
    case account(ACMEAccount)
    /// The order exists at the authority. The latest takes the place of those before it.
    case order(SavedOrder)
}
