"""Restores: into empty folders and over data, of what is sound and what is not, and killed at each step."""

import gzip
import hashlib
import io
import json
import pathlib
import sqlite3
import tarfile

import pytest

from backing_up import backup, emptied, kills
from gate import QUICK, merged


def test_restored_into_an_empty_folder_the_old_password_works(quick):
    """Accounts come back; what was signed in is signed out: a token revoked after the backup stays dead."""
    account = quick.register("ann@example.com")
    kept = quick.register("ben@example.com")
    made = backup(quick, str(quick.folder / "one.tar.gz"), "--include-secrets")
    assert quick.logout(account["access_token"]).status_code == 204
    quick.stop()
    emptied(quick)
    done = quick.run("restore", made["file"])
    assert done.returncode == 0 and "2 users" in done.stdout, done
    quick.start()
    assert quick.login("ann@example.com").status_code == 200
    for token in (account, kept):
        assert quick.me(token["access_token"]).status_code == 401
        assert quick.refresh(token["refresh_token"]).status_code == 401
    fresh = quick.login("ben@example.com").json()
    assert quick.me(fresh["access_token"]).status_code == 200
    for path in ("gatehouse.db", "secrets.toml"):
        assert (quick.data / path).stat().st_mode & 0o777 == 0o600


def test_a_secret_from_the_configuration_brings_no_token_back(make_server):
    """The key is the same after the restore: the time of issue decides."""
    server = make_server(merged(QUICK, {"auth": {"jwt_secret": "a secret of more than thirty-two characters"}})).start()
    account = server.register()
    made = backup(server, str(server.folder))
    assert server.logout(account["access_token"]).status_code == 204
    server.stop()
    assert server.run("restore", made["file"], "--replace").returncode == 0
    server.start()
    assert server.me(account["access_token"]).status_code == 401
    assert server.me(server.login(account["user"]["email"]).json()["access_token"]).status_code == 200


def test_sessions_are_kept_where_that_is_asked_for(quick):
    account = quick.register()
    made = backup(quick, str(quick.folder), "--include-secrets")
    quick.stop()
    emptied(quick)
    assert quick.run("restore", made["file"], "--keep-sessions").returncode == 0
    quick.start()
    assert quick.me(account["access_token"]).status_code == 200
    assert quick.refresh(account["refresh_token"]).status_code == 200


def test_what_is_there_is_not_overwritten(quick):
    """A running server is left alone (69), data is not overwritten without a word (73), and with it moved aside."""
    made = backup(quick, str(quick.folder / "one.tar.gz"))
    late = quick.register("late@example.com")
    running = quick.run("restore", made["file"], "--replace")
    assert running.returncode == 69 and "in use by process" in running.stderr, running
    assert quick.me(late["access_token"]).status_code == 200
    quick.stop()
    refused = quick.run("restore", made["file"])
    assert refused.returncode == 73 and "--replace" in refused.stderr, refused
    done = quick.run("restore", made["file"], "--replace", "--json")
    assert done.returncode == 0, done
    aside = pathlib.Path(json.loads(done.stdout)["replaced"])
    with sqlite3.connect(f"file:{aside / 'gatehouse.db'}?immutable=1", uri=True) as old:
        assert old.execute("SELECT email FROM users").fetchall() == [("late@example.com",)]
    quick.start()
    assert quick.login("late@example.com").status_code == 401


@pytest.mark.parametrize("kind", ["cut short", "changed", "another program's", "empty", "missing", "armored"])
def test_what_is_no_sound_backup_is_refused(quick, kind):
    """Checked whole before anything is touched: nothing of it remains."""
    made = backup(quick, str(quick.folder / "one.tar.gz"))
    quick.stop()
    file = pathlib.Path(made["file"])
    content = bytearray(file.read_bytes())
    if kind == "cut short":
        content = content[:-20]
    elif kind == "changed":
        # Compressed anew, so that gzip's own checksum holds.
        plain = bytearray(gzip.decompress(content))
        plain[-2048] ^= 1
        content = gzip.compress(plain)
    elif kind == "another program's":
        content = gzip.compress(b"hello")
    elif kind == "empty":
        content = b""
    elif kind == "armored":
        content = b"-----BEGIN AGE ENCRYPTED FILE-----\n"
    file.write_bytes(content) if kind != "missing" else file.unlink()
    expected = 64 if kind == "missing" else 1
    emptied(quick)
    for arguments in (["--verify"], []):
        done = quick.run("restore", str(file), *arguments)
        assert done.returncode == expected and done.stderr, (kind, done)
    assert [each.name for each in quick.data.iterdir()] in ([], ["gatehouse.lock"]) if quick.data.exists() else True


def test_a_newer_schema_is_refused(quick):
    """A backup by a later version asks for that version (78)."""
    quick.stop()
    with sqlite3.connect(quick.data / "gatehouse.db") as database:
        database.execute("INSERT INTO schema_migrations VALUES (999, 'later', 'x', 0)")
    database.close()
    content = (quick.data / "gatehouse.db").read_bytes()
    manifest = json.dumps({
        "format": 1, "program": "gatehouse", "version": "9", "created_at": "2026-01-01T00:00:00Z", "reason": "manual",
        "schema_version": 999,
        "members": [{"path": "gatehouse.db", "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}],
    }).encode()
    file = quick.folder / "newer.tar.gz"
    with tarfile.open(file, "w:gz") as archive:
        for name, data in (("manifest.json", manifest), ("gatehouse.db", content)):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    emptied(quick)
    for arguments in (["--verify"], []):
        done = quick.run("restore", str(file), *arguments)
        assert done.returncode == 78 and "999" in done.stderr, done


def test_killed_at_any_step_a_restore_leaves_the_old_data_or_the_new(quick):
    """Whenever it is killed, the server starts afterwards, and knows the old accounts or the new ones."""
    quick.register("old@example.com")
    made = backup(quick, str(quick.folder / "one.tar.gz"), "--include-secrets")
    quick.register("new@example.com")
    quick.stop()
    seen = set()
    for step, code in kills(quick, "restore", made["file"], "--replace"):
        done = quick.run("user", "list", "--json")
        assert done.returncode == 0, (step, done)
        users = tuple(sorted(each["email"] for each in json.loads(done.stdout)["users"]))
        assert users in (("new@example.com", "old@example.com"), ("old@example.com",)), (step, users)
        assert users == ("old@example.com",) or code != 0, step
        assert not (quick.data / "restore-journal.json").exists()
        if code != 0:
            seen.add(users)
        if users == ("old@example.com",):
            # Back to what there was, for the next step.
            assert quick.run("user", "add", "new@example.com", "--no-password").returncode == 0
    assert len(seen) == 2, "some steps come before the decision, and some after it"
    quick.start()
    assert quick.login("old@example.com").status_code == 200
