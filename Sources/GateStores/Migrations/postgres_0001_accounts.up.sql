-- Ids are UUIDv7 as text, times milliseconds since the epoch, truth values 0 and 1, as in SQLite: one text of each statement serves both.
-- Texts are compared byte by byte (COLLATE "C"), so that ids are in the order of their making whatever the database's locale is.

CREATE TABLE users (
    id             TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    email          TEXT COLLATE "C" NOT NULL UNIQUE,
    email_verified BIGINT NOT NULL CHECK (email_verified IN (0, 1)),
    name           TEXT,
    avatar_url     TEXT,
    password_hash  TEXT,
    disabled_at    BIGINT,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL
);

CREATE TABLE organisations (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE memberships (
    organisation_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    user_id         TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role            TEXT COLLATE "C" NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
    joined_at       BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, user_id)
);

CREATE INDEX memberships_user ON memberships (user_id);

-- A session that ends is deleted. A disabled user has none. No token is stored, nor a hash of one: tokens name the session and
-- carry a code that only the server can make. A refresh changes no column of an index; with room in the page it touches none (HOT).
CREATE TABLE sessions (
    id                 TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id            TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    user_agent         TEXT,
    address            TEXT,
    created_at         BIGINT NOT NULL,
    last_used_at       BIGINT NOT NULL,
    expires_at         BIGINT NOT NULL,
    access_expires_at  BIGINT NOT NULL,
    -- Of the refresh token that was not used yet.
    refresh_generation BIGINT NOT NULL,
    -- When those before it were used, the last first: 8 bytes each, big-endian. Few, mostly one.
    refreshed_at       BYTEA NOT NULL
) WITH (fillfactor = 70);

CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- What is refused although its signature is good, until it would be refused anyway.
CREATE TABLE revocations (
    kind       TEXT COLLATE "C" NOT NULL CHECK (kind IN ('token', 'session')),
    id         TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (kind, id)
);

CREATE INDEX revocations_expiry ON revocations (expires_at);

-- By a keyed hash of the address that was tried, which need not be a user's.
CREATE TABLE login_failures (
    network TEXT COLLATE "C" NOT NULL,
    account BIGINT NOT NULL,
    count   BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (network, account)
);

CREATE INDEX login_failures_age ON login_failures (last_at);

-- Instances remember revocations and profiles. Whatever changes one tells all of them, in the transaction that does: a session or token
-- that is refused from now on, a user of whom something else is to be told. What a sign-in or a refresh writes tells nobody, since
-- transactions that notify commit one after the other. The words are IdentityChange's.

CREATE FUNCTION gatehouse_tell_revocation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('gatehouse_changes', NEW.kind || ' ' || NEW.id || ' ' || NEW.expires_at);
    RETURN NULL;
END
$$;

CREATE TRIGGER revocations_tell AFTER INSERT OR UPDATE ON revocations
    FOR EACH ROW EXECUTE FUNCTION gatehouse_tell_revocation();

CREATE FUNCTION gatehouse_tell_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('gatehouse_changes', 'profile ' || OLD.id);
    RETURN NULL;
END
$$;

CREATE TRIGGER users_tell AFTER UPDATE OF email, email_verified, name, avatar_url, disabled_at OR DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION gatehouse_tell_user();

CREATE FUNCTION gatehouse_tell_member() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('gatehouse_changes', 'profile ' || COALESCE(NEW.user_id, OLD.user_id));
    RETURN NULL;
END
$$;

CREATE TRIGGER memberships_tell AFTER INSERT OR UPDATE OR DELETE ON memberships
    FOR EACH ROW EXECUTE FUNCTION gatehouse_tell_member();

CREATE FUNCTION gatehouse_tell_members() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('gatehouse_changes', 'profile ' || user_id) FROM memberships WHERE organisation_id = NEW.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER organisations_tell AFTER UPDATE OF name ON organisations
    FOR EACH ROW EXECUTE FUNCTION gatehouse_tell_members();
