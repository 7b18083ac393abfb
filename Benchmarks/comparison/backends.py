"""What Gatehouse stands on when it has outgrown one machine: a PostgreSQL and a Redis of the bench's own, on loopback and with Unix sockets, and
instances of Gatehouse that share them."""

from __future__ import annotations

import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from .servers import ENVIRONMENT, Gatehouse
from .tools import free_port

# On a disk, where /tmp may be memory: what is compared is durable.
DURABLE = "/var/tmp"


class Backend:
    """A process with a folder, that others stand on."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-bench-", dir=DURABLE))
        self.port = free_port()
        self.process: subprocess.Popen | None = None

    def _spawn(self, command: list, log: str, **more) -> None:
        with open(self.folder / log, "ab") as output:
            self.process = subprocess.Popen(command, cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, **more)
        begun = time.monotonic()
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() - begun > 30:
                    raise RuntimeError(f"{command[0]} does not listen:\n{(self.folder / log).read_text()[-2000:]}") from None
                time.sleep(0.01)

    def close(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(self.ending)
            self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    ending = signal.SIGTERM

    def processor_seconds(self) -> float:
        """Of it and its children, also of those that ended."""
        ticks = 0
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in [self.process.pid, *children]:
            try:
                fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            ticks += sum(int(field) for field in fields[11:13 if pid != self.process.pid else 15])
        return ticks / os.sysconf("SC_CLK_TCK")


class Postgres(Backend):
    """As Debian's package sets it up: every commit is on disk before it is answered. Only its memory is what its documentation recommends."""

    ending = signal.SIGINT

    def start(self) -> "Postgres":
        folders = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
        if not folders:
            raise RuntimeError("PostgreSQL is not installed: scripts/install-packages bench")
        self.programs = folders[-1]
        # It refuses to run as root.
        is_root = os.getuid() == 0
        self.user = {"user": "postgres", "group": "postgres", "extra_groups": []} if is_root else {}
        if is_root:
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self.folder.chmod(0o755)
        data = self.folder / "data"
        subprocess.run(
            [self.programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"], check=True, cwd="/",
            capture_output=True, **self.user)
        with open(data / "postgresql.conf", "a") as settings:
            settings.write(
                f"listen_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = '{self.folder}'\nmax_connections = 200\n"
                "shared_buffers = 512MB\nlog_min_messages = error\nautovacuum_naptime = 1h\n")
        self._spawn([self.programs / "postgres", "-D", data], "log", **self.user)
        while self._client("pg_isready", "-q", check=False).returncode:
            time.sleep(0.02)
        return self

    def _client(self, program: str, *arguments: str, check: bool = True, **more) -> subprocess.CompletedProcess:
        return subprocess.run(
            [self.programs / program, "-h", self.folder, "-p", str(self.port), "-U", "postgres", *arguments], check=check, text=True,
            capture_output=True, **more)

    def url(self, name: str) -> str:
        """Of a new database."""
        self._client("createdb", name)
        return f"postgres://postgres@127.0.0.1:{self.port}/{name}"

    def sql(self, name: str, text: str) -> str:
        return self._client("psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", name, "-f", "-", input=text).stdout

    def version(self) -> str:
        return re.search(r"\d+(\.\d+)*", subprocess.run([self.programs / "postgres", "--version"], capture_output=True, text=True).stdout)[0]


class Pooler(Backend):
    """PgBouncer, which hands connections on after each transaction: nobody can listen through it."""

    def __init__(self, postgres: Postgres):
        super().__init__()
        self.postgres = postgres

    def start(self) -> "Pooler":
        self.folder.chmod(0o755)
        settings = self.folder / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n* = host={self.postgres.folder} port={self.postgres.port} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
            f"listen_port = {self.port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 40\n"
            "max_client_conn = 500\n")
        self._spawn(["/usr/sbin/pgbouncer", settings], "log", **self.postgres.user)
        return self

    def url(self, name: str) -> str:
        """Of a new database."""
        self.postgres.url(name)
        return f"postgres://postgres@127.0.0.1:{self.port}/{name}?prepare=off"


class Redis(Backend):
    """Without persistence: none is needed."""

    def start(self) -> "Redis":
        self.socket = self.folder / "redis.sock"
        self._spawn(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "no",
             "--dir", str(self.folder)], "log")
        return self

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        return f"unix://{self.socket}"

    @staticmethod
    def version() -> str:
        return re.search(r"v=(\S+)", subprocess.run(["redis-server", "--version"], capture_output=True, text=True).stdout)[1]


class Instance(Gatehouse):
    """Gatehouse with its database where it is told, and Redis, if any. `before` is one that it shares its secrets with."""

    issuer = "https://gate.test"

    def __init__(self, name: str, database: str | None = None, redis: str | None = None, before: "Instance | None" = None):
        super().__init__()
        shutil.rmtree(self.folder)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-bench-", dir=DURABLE))
        self.name, self.before = name, before
        self.environment = dict(ENVIRONMENT)
        if database:
            self.environment["DATABASE_URL"] = database
        if redis:
            self.environment["REDIS_URL"] = redis

    def command(self):
        command = super().command()
        path = pathlib.Path(command[-1])
        path.write_text(path.read_text().replace("[auth]\n", f'[auth]\nissuer = "{self.issuer}"\naudience = "{self.issuer}"\n', 1))
        return command

    def start(self) -> float:
        if self.before:
            data = self.folder / "data"
            data.mkdir(mode=0o700, exist_ok=True)
            shutil.copy2(self.before.folder / "data/cluster.key", data)
        return super().start()

