-- What instances tell each other is kept for a while too: behind a pooler that hands connections on after each transaction nobody can
-- listen, and an instance asks a few times a second what is new. In the order of transactions, since rows become visible in no order of
-- sequences or clocks: whoever asks again from the oldest transaction that was still open when they asked last has missed nothing.

CREATE TABLE changes (
    xact    XID8 NOT NULL DEFAULT pg_current_xact_id(),
    made_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    change  TEXT COLLATE "C" NOT NULL
);

CREATE INDEX changes_xact ON changes (xact);
CREATE INDEX changes_age ON changes (made_at);

CREATE FUNCTION gatehouse_tell(words TEXT) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('gatehouse_changes', words);
    INSERT INTO changes (change) VALUES (words);
END
$$;

CREATE OR REPLACE FUNCTION gatehouse_tell_revocation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM gatehouse_tell(NEW.kind || ' ' || NEW.id || ' ' || NEW.expires_at);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION gatehouse_tell_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM gatehouse_tell('profile ' || OLD.id);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION gatehouse_tell_member() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM gatehouse_tell('profile ' || COALESCE(NEW.user_id, OLD.user_id));
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION gatehouse_tell_members() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM gatehouse_tell('profile ' || user_id) FROM memberships WHERE organisation_id = NEW.id;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION gatehouse_tell_secrets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM gatehouse_tell('everything');
    RETURN NULL;
END
$$;

-- Whoever prunes revocations prunes this too. Nobody who was away for a second asks for what is new: they read everything.
CREATE FUNCTION gatehouse_forget_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM changes WHERE made_at < now() - INTERVAL '10 minutes';
    RETURN NULL;
END
$$;

CREATE TRIGGER revocations_forget_changes AFTER DELETE ON revocations
    FOR EACH STATEMENT EXECUTE FUNCTION gatehouse_forget_changes();
