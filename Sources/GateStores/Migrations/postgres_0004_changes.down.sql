DROP TRIGGER revocations_forget_changes ON revocations;
DROP FUNCTION gatehouse_forget_changes();

CREATE OR REPLACE FUNCTION gatehouse_tell_revocation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('gatehouse_changes', NEW.kind || ' ' || NEW.id || ' ' || NEW.expires_at);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION gatehouse_tell_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('gatehouse_changes', 'profile ' || OLD.id);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION gatehouse_tell_member() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('gatehouse_changes', 'profile ' || COALESCE(NEW.user_id, OLD.user_id));
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION gatehouse_tell_members() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('gatehouse_changes', 'profile ' || user_id) FROM memberships WHERE organisation_id = NEW.id;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION gatehouse_tell_secrets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('gatehouse_changes', 'everything');
    RETURN NULL;
END
$$;

DROP FUNCTION gatehouse_tell(TEXT);
DROP TABLE changes;
