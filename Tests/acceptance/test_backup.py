"""Backups of a server under load, and what a restore makes of them."""

import gzip
import hashlib
import io
import json
import pathlib
import sqlite3
import subprocess
import tarfile
import threading
import time

import pytest

from gate import BINARY, PASSWORD, QUICK, merged
from tracing import eventually

PASSPHRASE = "correct horse battery staple"


def backup(server, *arguments, **more) -> dict:
    done = server.run("backup", *arguments, "--json", **more)
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout)


def command(*arguments, text="", within=60) -> subprocess.CompletedProcess:
    return subprocess.run([str(BINARY), *map(str, arguments)], input=text, capture_output=True, text=True, timeout=within)


def backups(server) -> list[str]:
    folder = server.data / "backups"
    return sorted(each.name for each in folder.iterdir()) if folder.exists() else []


def emptied(server):
    """The same server on another, empty data folder, not started."""
    server.settings["data_dir"] = str(server.folder / "other")
    server.data = pathlib.Path(server.settings["data_dir"])
    server.write_config()
    return server


def grow(server, megabytes: int) -> None:
    """Makes the database of a server that does not run larger, by rows that nobody looks at."""
    with sqlite3.connect(server.data / "gatehouse.db") as database:
        database.execute(
            "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < ?) "
            "INSERT INTO login_failures SELECT hex(randomblob(450)), x, 1, 4000000000000 FROM c",
            (megabytes * 1024,))
    database.close()


class Writers:
    """Refreshes by several sessions, each a durable write, until the end; with the time that each took."""

    def __init__(self, server, count=4):
        self.server = server
        self.times: list[float] = []
        self.failures: list[str] = []
        self._stopping = threading.Event()
        tokens = [server.register()["refresh_token"] for _ in range(count)]
        self._threads = [threading.Thread(target=self._run, args=(token,)) for token in tokens]

    def _run(self, token):
        while not self._stopping.is_set():
            begun = time.monotonic()
            answer = self.server.refresh(token)
            self.times.append(time.monotonic() - begun)
            if answer.status_code != 200:
                self.failures.append(answer.text)
                return
            token = answer.json()["refresh_token"]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        for thread in self._threads:
            thread.join(30)
        assert self.failures == []


def test_no_write_waits_for_a_backup(make_server):
    """CHECKLIST 44: backups under permanent writes end, are sound, and no write waits for them; the log is bounded."""
    server = make_server(QUICK)
    server.start().stop()
    grow(server, 24)
    server.start()
    with Writers(server) as writers:
        eventually(lambda: len(writers.times) > 200)
        before = len(writers.times)
        made = [backup(server, within=120) for _ in range(2)]
        during = sorted(writers.times[before:])
        log = (server.data / "gatehouse.db-wal").stat().st_size
    assert len(during) > 100, "there were writes meanwhile"
    # The machine is shared: what a write must not do is wait for the backup, which takes a good part of a second or more.
    assert during[len(during) // 2] < 0.1 and during[-1] < 2, (during[len(during) // 2], during[-1])
    assert log < 64 << 20, log
    for each in made:
        assert each["members"][0]["size"] > 22 << 20
    shown = command("restore", "--verify", made[-1]["file"], "--json")
    assert shown.returncode == 0 and json.loads(shown.stdout)["users"] == 4, shown


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


def test_tar_and_gzip_read_it(quick):
    """Debian's tar and gzip, and Python's: the format is nobody's own."""
    quick.register("ann@example.com")
    made = backup(quick, str(quick.folder / "one.tar.gz"), "--include-secrets")
    folder = quick.folder / "unpacked"
    folder.mkdir()
    subprocess.run(["gzip", "--test", made["file"]], check=True)
    subprocess.run(["tar", "--extract", "--gzip", "--file", made["file"], "--directory", str(folder)], check=True)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert [each["path"] for each in manifest["members"]] == ["gatehouse.db", "secrets/secrets.toml"]
    for each in manifest["members"]:
        told = subprocess.run(["sha256sum", str(folder / each["path"])], check=True, capture_output=True, text=True).stdout
        assert told.split()[0] == each["sha256"] and (folder / each["path"]).stat().st_size == each["size"]
    with sqlite3.connect(folder / "gatehouse.db") as database:
        assert database.execute("SELECT email FROM users").fetchall() == [("ann@example.com",)]
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    # Packed again by others, it is still one of ours.
    for format in ("gnu", "pax", "ustar"):
        again = quick.folder / f"{format}.tar.gz"
        subprocess.run(
            ["tar", "--create", "--gzip", f"--format={format}", "--file", str(again), "--directory", str(folder),
             "manifest.json", "gatehouse.db", "secrets"], check=True)
        assert command("restore", "--verify", again).returncode == 0, format


def test_age_reads_it_and_we_read_age(quick):
    """The age program decrypts ours, with a key; and we what it encrypts."""
    quick.register()
    key = quick.folder / "key.txt"
    subprocess.run(["age-keygen", "--output", str(key)], check=True, capture_output=True)
    recipient = subprocess.run(["age-keygen", "-y", str(key)], check=True, capture_output=True, text=True).stdout.strip()
    made = backup(quick, str(quick.folder / "one.tar.gz.age"), "--recipient", recipient)
    plain = subprocess.run(["age", "--decrypt", "--identity", str(key), made["file"]], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        assert archive.getnames() == ["manifest.json", "gatehouse.db"]
    encrypted = quick.folder / "theirs.age"
    subprocess.run(["age", "--encrypt", "--recipient", recipient, "--output", str(encrypted)], input=plain, check=True)
    for file in (made["file"], encrypted):
        assert command("restore", "--verify", file, "--identity", key).returncode == 0
        assert command("restore", "--verify", file).returncode == 77
    other = quick.folder / "other.txt"
    subprocess.run(["age-keygen", "--output", str(other)], check=True, capture_output=True)
    refused = command("restore", "--verify", made["file"], "--identity", other)
    assert refused.returncode == 77 and "other keys" in refused.stderr, refused
    assert command("restore", "--verify", made["file"], "--identity", made["file"]).returncode == 64


def test_a_passphrase(quick):
    """The right one opens it, another does not (77), and it is in no log."""
    quick.register()
    file = str(quick.folder / "one.age")
    backup(quick, file, "--passphrase", text=PASSPHRASE + "\n")
    assert command("restore", "--verify", file, text=PASSPHRASE + "\n").returncode == 0
    wrong = command("restore", "--verify", file, text="another\n")
    assert wrong.returncode == 77 and "passphrase" in wrong.stderr, wrong
    assert command("restore", "--verify", file).returncode == 77
    assert PASSPHRASE not in quick.log_text()


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


# Each is a step after which a power cut could find the disk.
STEPS = ["fsync", "fdatasync", "link", "linkat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "mkdir", "mkdirat"]


def killed_at(server, step: str, nth: int, *arguments) -> int:
    return subprocess.run(
        ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={step}", "-e", f"inject={step}:signal=SIGKILL:when={nth}",
         str(BINARY), *arguments, "--config", str(server.config)],
        cwd=server.folder, env=server.environment(), stdin=subprocess.DEVNULL, capture_output=True, timeout=60).returncode


def kills(server, *arguments):
    """Runs the command again and again, killed at each of its steps; yields after each what was done to it."""
    count = 0
    for step in STEPS:
        for nth in range(1, 100):
            code = killed_at(server, step, nth, *arguments)
            yield f"{step} {nth}", code
            if code == 0:
                break
            count += 1
        assert code == 0, (step, code)
    assert count > 8, "there were steps to be killed at"


def test_killed_at_any_step_a_backup_leaves_no_half_file(quick):
    """What has a backup's name is one. What lies around is gone after the next."""
    quick.register()
    quick.stop()
    for step, _ in kills(quick, "backup"):
        for name in backups(quick):
            if not name.startswith("."):
                assert command("restore", "--verify", quick.data / "backups" / name).returncode == 0, (step, name)
    backup(quick)
    assert all(name.startswith("gatehouse-") for name in backups(quick)), backups(quick)
    assert list((quick.data / "backup-staging").iterdir()) == []


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


def test_killed_in_the_middle_the_server_starts_again_and_backs_up(make_server):
    """CHECKLIST 45: `kill -9` of the server while it makes a backup loses nothing, and leaves no half backup."""
    server = make_server(QUICK)
    server.start().stop()
    grow(server, 24)
    server.start()
    account = server.register()
    asking = subprocess.Popen(
        [str(BINARY), "backup", "--scheduled", "--config", str(server.config)], cwd=server.folder, env=server.environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    eventually(lambda: (server.data / "backup-staging" / "snapshot.db").exists())
    server.kill()
    assert asking.wait(30) == 69
    assert [name for name in backups(server) if not name.startswith(".")] == []
    server.start()
    assert server.me(account["access_token"]).status_code == 200
    backup(server, "--scheduled", within=120)
    assert len(backups(server)) == 1


@pytest.fixture
def tiny_disk(tmp_path):
    folder = tmp_path / "tiny"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "gatehouse-test", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_disk_without_room(make_server, tiny_disk):
    """1 MiB for backups: refused before it is full (73), told by health, and made as soon as there is room."""
    server = make_server(merged(QUICK, {"backup": {"directory": str(tiny_disk / "backups")}}))
    server.start().stop()
    grow(server, 2)
    server.start()
    done = server.run("backup", "--scheduled")
    assert done.returncode == 73 and "free" in done.stderr, done
    assert server.register()
    assert list((tiny_disk / "backups").iterdir()) == []
    checks = server.call("GET", "/api/v1/health").json()
    assert checks["status"] == "degraded" and checks["checks"]["backup"]["status"] == "degraded", checks
    subprocess.run(["mount", "-o", "remount,size=16m", str(tiny_disk)], check=True)
    assert server.run("backup", "--scheduled").returncode == 0
    assert server.call("GET", "/api/v1/health").json()["status"] == "healthy"


def test_a_schedule_is_seen_in_health_and_metrics(make_server):
    """Made by the timer's call; rotated by number; remembered after a restart."""
    server = make_server(merged(QUICK, {"backup": {"keep": 2}, "metrics": {}})).start()
    assert "backup" not in server.call("GET", "/api/v1/health").json()["checks"]
    for _ in range(3):
        backup(server, "--scheduled")
    assert len(backups(server)) == 2
    listed = server.run_json("backup", "list")
    assert [pathlib.Path(each["file"]).name for each in listed["backups"]] == sorted(backups(server), reverse=True)
    server.restart()
    assert server.call("GET", "/api/v1/health").json()["checks"]["backup"]["status"] == "healthy"
    text = subprocess.run(
        ["curl", "-s", "--unix-socket", str(server.data / "admin.sock"), "http://localhost/metrics"],
        check=True, capture_output=True, text=True).stdout
    assert "gatehouse_backup_last_success_timestamp_seconds 1" in text and "gatehouse_backup_failures_total 0" in text
    # A folder that is a file.
    for each in (server.data / "backups").iterdir():
        each.unlink()
    (server.data / "backups").rmdir()
    (server.data / "backups").write_text("")
    assert server.run("backup", "--scheduled").returncode == 73
    server.restart()
    assert server.call("GET", "/api/v1/health").json()["checks"]["backup"]["status"] == "degraded"


def test_the_command_line(quick):
    """Exit codes of what cannot be done, and the words with them."""
    folder = quick.folder / "backups"
    folder.mkdir()
    made = backup(quick, str(folder))
    assert pathlib.Path(made["file"]).parent == folder and pathlib.Path(made["file"]).stat().st_mode & 0o777 == 0o600
    for expected, arguments in [
        (73, [made["file"]]), (73, [str(folder / "no" / "such")]), (64, ["--recipient", "age1x"]),
        (64, ["--recipient", "age1x", "--passphrase"]), (64, ["x", "--scheduled"]), (64, ["-", "--json"]), (64, ["--nonsense"]),
    ]:
        done = quick.run("backup", *arguments)
        assert done.returncode == expected and done.stderr, (arguments, done)
    out = subprocess.run(
        [str(BINARY), "backup", "-", "--config", str(quick.config)], cwd=quick.folder, env=quick.environment(), capture_output=True)
    assert out.returncode == 0 and out.stdout.startswith(b"\x1f\x8b")
    assert list((quick.data / "backup-staging").iterdir()) == []
    bare = quick.run("backup", "--include-secrets")
    assert bare.returncode == 0 and "not encrypted" in bare.stderr
    quick.stop()
    # Where no server runs, the command makes it itself.
    assert backup(quick)["members"][0]["path"] == "gatehouse.db"
    quick.settings["backup"] = {"recipients": ["AGE-SECRET-KEY-1"], "keep": -1}
    quick.write_config()
    done = quick.run("backup")
    assert done.returncode == 78 and "secret key" in done.stderr and "backup.keep" in done.stderr, done
