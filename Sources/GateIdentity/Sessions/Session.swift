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

    package init(
        id: ID, userID: User.ID, device: Device, createdAt: Timestamp, lastUsedAt: Timestamp, expiresAt: Timestamp,
        accessExpiresAt: Timestamp
    ) {
        self.id = id
        self.userID = userID
        self.device = device
        self.createdAt = createdAt
        self.lastUsedAt = lastUsedAt
        self.expiresAt = expiresAt
        self.accessExpiresAt = accessExpiresAt
    }
}

/// Where a session is used from, as the request that opened it said.
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

/// The SHA-256 of a token: all of it that the database ever holds.
package struct TokenHash: Hashable, Sendable {
    package let bytes: [UInt8]
    package init(bytes: [UInt8]) { self.bytes = bytes }
}

/// A session to be stored, with the hashes of its two tokens.
package struct NewSession: Sendable {
    package var session: Session
    /// Of the token in the session cookie.
    package var cookieHash: TokenHash
    /// Of the first refresh token.
    package var refreshHash: TokenHash

    package init(session: Session, cookieHash: TokenHash, refreshHash: TokenHash) {
        self.session = session
        self.cookieHash = cookieHash
        self.refreshHash = refreshHash
    }
}
