package import GateCore

/// Where revocations outlive the process. The check itself is made in memory, see ``RevocationList``.
///
/// Ending a session records its revocation in the same transaction (``SessionStore/end(_:at:)``); this port adds those of single
/// tokens, and reads all. Every method throws `StorageError` and nothing else; what changes something returns when it is durable.
package protocol RevocationStore: Sendable {
    /// Records one; a second time is no error.
    func insert(_ revocation: Revocation) async throws

    /// All, in no order: those that ended too, in case the clock is ahead and will be set back.
    func load() async throws -> [Revocation]

    /// Whether one of them is there. Asked for each request while memory cannot be believed, see ``MemoryLease``.
    func containsAny(of subjects: [Revocation.Subject]) async throws -> Bool

    /// Deletes those that ended before `now`.
    func prune(before now: Timestamp) async throws -> Int
}

/// That what carries this id is refused until `expiresAt`, when it would be refused anyway.
package struct Revocation: Hashable, Sendable {
    package var subject: Subject
    package var expiresAt: Timestamp

    package enum Subject: Hashable, Sendable {
        /// An access token, by its `jti`.
        case token(Identifier<AccessToken>)
        /// A session, by the `sid` of its tokens.
        case session(Session.ID)
    }

    package init(subject: Subject, expiresAt: Timestamp) {
        self.subject = subject
        self.expiresAt = expiresAt
    }
}
