"""What a power cut leaves: the files as their last fsync left them, rebuilt from the server's own system calls."""

import pathlib
import random
import re
import shutil
import sqlite3
import time
from dataclasses import dataclass

from gate import PASSWORD, QUICK, Gatehouse, merged
from tracing import traced

CALL = re.compile(
    r'(?P<at>\d+\.\d+) (?P<name>pwrite64|fdatasync|fsync|ftruncate)\(\d+<(?P<path>[^>]*)>(?P<rest>.*)\) = (?P<result>\d+) <(?P<took>[\d.]+)>$')
WRITE = re.compile(r', "(?P<data>(?:\\x[0-9a-f]{2})*)", \d+, (?P<offset>\d+)$')


def unescaped(text: str) -> bytes:
    """What strace -xx wrote as \\x2f\\x74…"""
    return bytes.fromhex(text.replace("\\x", ""))


@dataclass
class Event:
    """A write or a truncation of one file, and from when on it was on disk (never: infinity)."""

    name: str
    begun: float
    ended: float
    path: str
    data: bytes = b""
    offset: int = 0
    durable: float = float("inf")


def recorded(prefix: pathlib.Path) -> list[Event]:
    """The calls of all threads, in the order of their ends, each write with the end of the first sync that began after it."""
    events = []
    for file in prefix.parent.glob(prefix.name + ".*"):
        for line in file.read_text().splitlines():
            if not (call := CALL.match(line)):
                continue
            path = unescaped(call["path"]).decode()
            if "/gatehouse.db" not in path or path.endswith("-shm"):
                continue
            begun = float(call["at"])
            event = Event(call["name"], begun, begun + float(call["took"]), path)
            if event.name == "pwrite64":
                write = WRITE.match(call["rest"])
                assert write, line[:200]
                event.data = unescaped(write["data"])
                event.offset = int(write["offset"])
                assert len(event.data) == int(call["result"])
            elif event.name == "ftruncate":
                event.offset = int(call["rest"].strip(", "))
            events.append(event)
    events.sort(key=lambda event: event.ended)
    for index, event in enumerate(events):
        if event.name in ("pwrite64", "ftruncate"):
            syncs = (
                later.ended for later in events[index:]
                if later.name in ("fdatasync", "fsync") and later.path == event.path and later.begun >= event.ended - 1e-6)
            event.durable = next(syncs, float("inf"))
    return events


def image(base: pathlib.Path, target: pathlib.Path, events: list[Event], at: float, chance: random.Random | None) -> pathlib.Path:
    """The files after a cut at that moment: what was synced by then, and of the rest nothing, or what chance wills."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(base, target)
    for event in events:
        if event.name not in ("pwrite64", "ftruncate") or event.begun > at:
            continue
        if event.durable > at and not (chance and chance.random() < 0.5):
            continue
        with open(target / pathlib.Path(event.path).name, "r+b" if (target / pathlib.Path(event.path).name).exists() else "w+b") as file:
            if event.name == "ftruncate":
                file.truncate(event.offset)
            else:
                file.seek(event.offset)
                file.write(event.data)
    return target


def test_an_answered_write_survives_a_power_cut(make_server, tmp_path):
    """CHECKLIST 46: after each of thirty answers the power fails. Every account answered by then is whole; one that was not is whole
    or absent; and the server starts on what is left."""
    server = make_server(merged(QUICK, {"auth": {"refresh_grace": "0s"}})).start()
    server.register()
    server.restart()
    base = tmp_path / "base"
    shutil.copytree(server.data, base, ignore=shutil.ignore_patterns("*.sock", "*-shm"))
    prefix = tmp_path / "trace"
    acknowledged = []
    calls = "trace=pwrite64,fdatasync,fsync,ftruncate"
    with traced(server, "-ff", "-ttt", "-T", "-y", "-xx", "-s", "70000", "-e", calls, "-o", str(prefix)):
        for _ in range(30):
            email = server.address("cut")
            last = server.register(email)
            acknowledged.append((time.time(), email))
        ended = server.register()
        assert server.logout(ended["access_token"]).status_code == 204
        rotated = server.refresh(last["refresh_token"])
        assert rotated.status_code == 200
        final = time.time()
    server.kill()

    events = recorded(prefix)
    assert sum(event.name == "pwrite64" for event in events) >= 60, "the trace is not complete"
    chance = random.Random(20_240_611)
    for number, (at, _) in enumerate(acknowledged):
        for luck in (None, chance):
            cut = image(base, tmp_path / "cut", events, at, luck)
            connection = sqlite3.connect(cut / "gatehouse.db")
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
            present = {email for (email,) in connection.execute("SELECT email FROM users")}
            missing = [email for _, email in acknowledged[: number + 1] if email not in present]
            assert not missing, f"answered and lost: {missing}"
            without = connection.execute(
                "SELECT count(*) FROM users WHERE email LIKE 'cut%' AND id NOT IN (SELECT user_id FROM sessions)").fetchone()
            assert without == (0,), "an account without the session that was made with it"
            connection.close()

    again = Gatehouse(tmp_path / "again", merged(server.settings, {"data_dir": str(tmp_path / "again-data")}))
    again.settings["listen"] = {"http": [f"127.0.0.1:{again.port}"]}
    again.write_config()
    image(base, again.data, events, final, None)
    try:
        again.start()
        assert again.login(acknowledged[-1][1]).status_code == 200
        assert again.me(rotated.json()["access_token"]).status_code == 200
        assert again.me(ended["access_token"]).status_code == 401, "a revoked token came back"
        assert again.refresh(last["refresh_token"]).status_code == 401, "a rotated token came back"
        assert again.login(again.address("nobody"), PASSWORD).status_code == 401
    finally:
        again.kill()
