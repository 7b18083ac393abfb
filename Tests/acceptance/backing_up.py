"""Backups as tests make them: of a server that runs or not, under writers, and killed at each step."""

from __future__ import annotations

import functools
import json
import pathlib
import sqlite3
import subprocess
import time

from beside import Workers
from gate import BINARY

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


class Writers(Workers):
    """Refreshes by several sessions, each a durable write, until the end; with the time that each took."""

    def __init__(self, server, count=4):
        self.server = server
        self.times: list[float] = []
        self.failures: list[str] = []
        super().__init__(*[functools.partial(self._run, server.register()["refresh_token"]) for _ in range(count)])

    def _run(self, token):
        while not self.stopping.is_set():
            begun = time.monotonic()
            answer = self.server.refresh(token)
            self.times.append(time.monotonic() - begun)
            if answer.status_code != 200:
                self.failures.append(answer.text)
                return
            token = answer.json()["refresh_token"]

    def __exit__(self, *_):
        super().__exit__()
        assert self.failures == []


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
