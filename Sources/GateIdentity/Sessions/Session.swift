package import GateCore

/// A sign-in that goes on until it expires, is ended, or its user is.
package struct Session: Hashable, Sendable {
    package typealias ID = Identifier<Session>

    package var id: ID
    package var userID: User.ID
    package var device: Device
    package var createdAt: Timestamp
    package var lastUsedAt: Timestamp
    /// The absolute end; no rotation moves it (CHECKLIST 3).
    package var expiresAt: Timestamp
    /// When the last access token issued for it expires: until then its revocation must be remembered.
    package var accessExpiresAt: Timestamp
    /// The generation of the refresh token that was not used yet: zero for the first.
    package var refreshGeneration: Int64

    package init(
        id: ID, userID: User.ID, device: Device, createdAt: Timestamp, lastUsedAt: Timestamp, expiresAt: Timestamp,
        accessExpiresAt: Timestamp, refreshGeneration: Int64 = 0
    ) {
        self.id = id
        self.userID = userID
        self.device = device
        self.createdAt = createdAt
        self.lastUsedAt = lastUsedAt
        self.expiresAt = expiresAt
        self.accessExpiresAt = accessExpiresAt
        self.refreshGeneration = refreshGeneration
    }
}

/// Where a session is used from, as the request that opened it said, or the last refresh.
package struct Device: Hashable, Sendable {
    /// `User-Agent`, cut to 256 characters.
    package var userAgent: String?
    /// The client's address as text.
    package var address: String?

    package init(userAgent: String?, address: String?) {
        self.userAgent = userAgent.map { String($0.prefix(256)) }
        self.address = address
    }
}

/// A session that ended before its time, and until when its access tokens would have been good.
package struct EndedSession: Hashable, Sendable {
    package var id: Session.ID
    package var userID: User.ID
    package var accessExpiresAt: Timestamp

    package init(id: Session.ID, userID: User.ID, accessExpiresAt: Timestamp) {
        self.id = id
        self.userID = userID
        self.accessExpiresAt = accessExpiresAt
    }
}
