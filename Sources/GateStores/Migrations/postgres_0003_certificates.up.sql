-- What instances share of certificates and their authorities. A database of one process (SQLite) has no such tables: there, they are files.

-- Accounts, certificates, orders in progress, and the history of attempts: sealed under the cluster key, since there are private keys in
-- them (SealingKey). The seal is bound to kind, key and version.
CREATE TABLE certificate_records (
    kind    TEXT COLLATE "C" NOT NULL,
    key     TEXT COLLATE "C" NOT NULL,
    -- Greater than every other one when it was written.
    version BIGINT NOT NULL,
    sealed  BYTEA NOT NULL,
    PRIMARY KEY (kind, key)
);

-- What the validators of authorities ask for, of whichever instance. Nothing secret: the validator is told all of it.
CREATE TABLE certificate_challenges (
    kind              TEXT COLLATE "C" NOT NULL,
    name              TEXT COLLATE "C" NOT NULL,
    key_authorization TEXT COLLATE "C" NOT NULL,
    expires_at        BIGINT NOT NULL,
    PRIMARY KEY (kind, name, key_authorization)
);

-- A new certificate, or what became of an attempt, is told to every instance.
CREATE FUNCTION gatehouse_tell_certificates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('gatehouse_changes', 'certificates');
    RETURN NULL;
END
$$;

CREATE TRIGGER certificate_records_tell AFTER INSERT OR UPDATE ON certificate_records
    FOR EACH ROW WHEN (NEW.kind IN ('certificate', 'history')) EXECUTE FUNCTION gatehouse_tell_certificates();
