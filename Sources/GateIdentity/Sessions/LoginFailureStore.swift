package import GateCore

/// Where failed log-ins are remembered, by network and address, of users that exist and of those that don't.
///
/// Every method throws `StorageError` and nothing else.
package protocol LoginFailureStore: Sendable {
    func find(_ key: LoginFailureKey) async throws -> LoginFailures?

    /// Counts one more; the count starts anew where the last one was before `horizon`.
    func record(_ key: LoginFailureKey, at now: Timestamp, forgettingBefore horizon: Timestamp) async throws -> LoginFailures

    func clear(_ key: LoginFailureKey) async throws

    /// Forgets what an operator selects.
    /// - Returns: how many were forgotten.
    func clear(_ selection: LoginFailureSelection) async throws -> Int

    /// Deletes those whose last failure was before `horizon`.
    func prune(before horizon: Timestamp) async throws -> Int
}

package enum LoginFailureSelection: Hashable, Sendable {
    case all
    /// From networks that lie inside this one, or hold it.
    case network(IPNetwork)
    /// For one account, from everywhere.
    case account(UInt64)
}

package struct LoginFailureKey: Hashable, Sendable {
    /// The client's network as text, see `IPAddress.limitedNetwork`.
    package var network: String
    /// A keyed hash of the address that was tried.
    package var account: UInt64

    package init(network: String, account: UInt64) {
        self.network = network
        self.account = account
    }
}

package struct LoginFailures: Hashable, Sendable {
    package var count: Int
    package var lastAt: Timestamp

    package init(count: Int, lastAt: Timestamp) {
        self.count = count
        self.lastAt = lastAt
    }
}
