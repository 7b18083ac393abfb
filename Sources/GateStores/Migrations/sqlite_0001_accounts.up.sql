-- Ids are UUIDv7 as text, times milliseconds since the epoch, truth values 0 and 1.

CREATE TABLE users (
    id             TEXT    NOT NULL PRIMARY KEY,
    email          TEXT    NOT NULL UNIQUE,
    email_verified INTEGER NOT NULL CHECK (email_verified IN (0, 1)),
    name           TEXT,
    avatar_url     TEXT,
    password_hash  TEXT,
    disabled_at    INTEGER,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE organisations (
    id         TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE memberships (
    organisation_id TEXT    NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    user_id         TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role            TEXT    NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
    joined_at       INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX memberships_user ON memberships (user_id);

-- A session that ends is deleted. A disabled user has none. No token is stored, nor a hash of one: tokens name the session and
-- carry a code that only the server can make.
CREATE TABLE sessions (
    id                 TEXT    NOT NULL PRIMARY KEY,
    user_id            TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    user_agent         TEXT,
    address            TEXT,
    created_at         INTEGER NOT NULL,
    last_used_at       INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL,
    access_expires_at  INTEGER NOT NULL,
    -- Of the refresh token that was not used yet.
    refresh_generation INTEGER NOT NULL,
    -- When those before it were used, the last first: 8 bytes each, big-endian. Few, mostly one.
    refreshed_at       BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- What is refused although its signature is good, until it would be refused anyway.
CREATE TABLE revocations (
    kind       TEXT    NOT NULL CHECK (kind IN ('token', 'session')),
    id         TEXT    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX revocations_expiry ON revocations (expires_at);

-- By a keyed hash of the address that was tried, which need not be a user's.
CREATE TABLE login_failures (
    network TEXT    NOT NULL,
    account INTEGER NOT NULL,
    count   INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (network, account)
) STRICT, WITHOUT ROWID;

CREATE INDEX login_failures_age ON login_failures (last_at);
