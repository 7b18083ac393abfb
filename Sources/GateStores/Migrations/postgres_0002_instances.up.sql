-- What instances share besides accounts. A database of one process (SQLite) has no need of it, and no such tables.

-- What all instances must know and nobody else may: sealed under the cluster key, which is not in the database (SealingKey).
CREATE TABLE shared_secrets (
    name       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- Grows with each change. Part of what the seal is bound to.
    version    BIGINT NOT NULL,
    sealed     BYTEA NOT NULL,
    -- What tells the cluster key from others, and tells nothing of it.
    key_check  BYTEA NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Settings that mean the same to all instances only where they are the same.
CREATE TABLE shared_settings (
    name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Milliseconds since the epoch now, not when the transaction began.
CREATE FUNCTION gatehouse_clock() RETURNS BIGINT LANGUAGE sql VOLATILE AS $$
    SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::BIGINT
$$;

-- Who does what only one instance may do at a time. A lease that was given up stays: its generation goes on.
CREATE TABLE leases (
    name       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    holder     TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    -- Milliseconds from when it was given to expires_at.
    length     BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- New secrets make every instance read again what it remembers, those among it.
CREATE FUNCTION gatehouse_tell_secrets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('gatehouse_changes', 'everything');
    RETURN NULL;
END
$$;

CREATE TRIGGER shared_secrets_tell AFTER INSERT OR UPDATE ON shared_secrets
    FOR EACH ROW EXECUTE FUNCTION gatehouse_tell_secrets();
