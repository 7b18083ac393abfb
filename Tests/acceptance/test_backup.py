"""Backups of a server under load, on full disks, killed, on schedule, and read by others' programs."""

import io
import json
import pathlib
import sqlite3
import subprocess
import tarfile

import pytest

from backing_up import PASSPHRASE, Writers, backup, backups, command, grow, kills
from gate import BINARY, QUICK, merged
from waiting import eventually


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
