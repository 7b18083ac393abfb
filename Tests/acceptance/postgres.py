"""A PostgreSQL server of the tests' own: see Tests/postgres-server."""

from __future__ import annotations

import itertools
import subprocess

from gate import ROOT


class Postgres:
    def __init__(self):
        self.process = subprocess.Popen(
            [str(ROOT / "Tests/postgres-server")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        words = self.process.stdout.readline().split()
        assert len(words) == 2, words
        self.folder, self.port = words[0], int(words[1])
        self._names = itertools.count(1)

    def command(self, text: str) -> str:
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def new_database(self) -> str:
        name = f"gate{next(self._names)}"
        assert self.command(f"database {name}") == "done"
        return name

    def url(self, name: str, port: int | None = None, settings: str = "") -> str:
        """Over TCP, with a password that must not be seen anywhere."""
        return f"postgres://gatehouse:keep-this-unseen@127.0.0.1:{port or self.port}/{name}{settings}"

    def socket_url(self, name: str) -> str:
        """Over the Unix socket, which no password and no network is needed for."""
        return f"postgres://gatehouse@{self.folder.replace('/', '%2F')}:{self.port}/{name}"

    def sql(self, name: str, statement: str) -> str:
        return self.command(f"sql {name} {statement}")

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(20)
