"""The servers that are compared, each behind the same few verbs."""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from .tools import PASSWORD, ROOT, call, exchange, free_port

# Of the server, which would take the caller's variables for its configuration.
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("GATEHOUSE_")}


class Server:
    """A process with a folder of its own. `users` are those that `add_users` has made, with their tokens."""

    name: str
    health = "/health"
    environment = ENVIRONMENT

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-bench-"))
        self.port = free_port()
        self.process: subprocess.Popen | None = None
        self.users: list[dict] = []

    def command(self) -> list[str]:
        raise NotImplementedError

    def start(self) -> float:
        """Starts it, and returns the seconds to the first answer."""
        begun = time.monotonic()
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(self.command(), cwd=self.folder, env=self.environment, stdout=log, stderr=subprocess.STDOUT)
        while time.monotonic() - begun < 60:
            try:
                if call(self.port, "GET", self.health, timeout=5)[0] == 200:
                    return time.monotonic() - begun
            except (OSError, ValueError):
                # Not there yet, or not with its answer: Traefik listens before it knows its routes.
                pass
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} left:\n{(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.0005)
        raise RuntimeError(f"{self.name} gave no answer within a minute")

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(35)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def resident_mb(self) -> float:
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) / 1000 for line in status.splitlines() if line.startswith("VmRSS"))

    def processor_seconds(self) -> float:
        """What it has used so far, see proc(5): fields 14 and 15 of stat."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def add_users(self, count: int) -> None:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.users += pool.map(self.add_user, range(len(self.users), len(self.users) + count))

    def renewed(self, count: int) -> list[dict]:
        """So many fresh log-ins, of all users in turn: sessions that nobody has refreshed yet."""

        def renew(number: int) -> dict:
            user = dict(self.users[number % len(self.users)])
            self.log_in(user)
            return user

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            return list(pool.map(renew, range(count)))

    def add_user(self, number: int) -> dict:
        raise NotImplementedError

    def log_in(self, user: dict) -> None:
        """Renews the user's tokens."""
        raise NotImplementedError


class Gatehouse(Server):
    name = "Gatehouse"
    binary = pathlib.Path(os.environ.get("GATEHOUSE_BINARY", ROOT / ".build/release/gatehouse"))

    def __init__(self, cost: int = 10):
        super().__init__()
        self.cost = cost

    def command(self):
        # Limits are on, and set so high that they are never reached: every request is asked for and counted.
        policies = "".join(
            f'[limits.policies.{name}]\nlimit = 1000000\nwindow = "1s"\n'
            for name in ("api", "auth", "login", "login-account", "register", "password-reset"))
        (self.folder / "gatehouse.toml").write_text(
            f'public_url = "http://127.0.0.1:{self.port}"\ndata_dir = "{self.folder}/data"\n'
            f'[listen]\nhttp = ["127.0.0.1:{self.port}"]\n[http]\nmax_connections = 20000\n'
            f'[auth]\nbcrypt_cost = {self.cost}\naccess_token_lifetime = "12h"\nhash_queue = 1000\n'
            f'[log]\nlevel = "warning"\naccess = "off"\n{policies}')
        return [str(self.binary), "serve", "--config", str(self.folder / "gatehouse.toml")]

    @classmethod
    def version(cls) -> str:
        return subprocess.run([str(cls.binary), "version"], capture_output=True, text=True, check=True).stdout.splitlines()[0].split()[-1]

    def add_user(self, number):
        email = f"user{number}@example.com"
        status, body = call(self.port, "POST", "/api/v1/auth/register", {"email": email, "password": PASSWORD})
        assert status == 201, (status, body)
        return {"email": email, "id": body["user"]["id"], "access": body["access_token"], "refresh": body["refresh_token"]}

    def log_in(self, user):
        status, fields, body = exchange(self.port, "POST", "/api/v1/auth/login", {"email": user["email"], "password": PASSWORD})
        assert status == 200, (status, body)
        user.update(access=body["access_token"], refresh=body["refresh_token"], cookie=fields["Set-Cookie"].split(";")[0])

    own_record_prefix = "Bearer "
    log_in_path, log_in_field = "/api/v1/auth/login", "email"

    def own_record(self, user) -> str:
        return f"/api/v1/auth/me {user['access']}"


class PocketBase(Server):
    name = "PocketBase"
    health = "/api/health"
    binary = ROOT / ".venv-bench/bin/pocketbase"
    operator = ("operator@example.com", PASSWORD)

    def command(self):
        return [str(self.binary), "serve", "--http", f"127.0.0.1:{self.port}", "--dir", str(self.folder / "data")]

    @classmethod
    def version(cls) -> str:
        return subprocess.run([str(cls.binary), "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]

    def start(self) -> float:
        if not (self.folder / "data").exists():
            subprocess.run(
                [str(self.binary), "superuser", "upsert", *self.operator, "--dir", str(self.folder / "data")], check=True, capture_output=True)
            super().start()
            self._enable_limits()
            self.stop()
        return super().start()

    def _enable_limits(self) -> None:
        """Its rate limiter, switched on and set so high that it is never reached: the same as for Gatehouse."""
        status, body = call(
            self.port, "POST", "/api/collections/_superusers/auth-with-password",
            {"identity": self.operator[0], "password": self.operator[1]})
        assert status == 200, (status, body)
        rules = [{"label": label, "duration": 1, "maxRequests": 1_000_000} for label in ("*:auth", "*:create", "/api/")]
        status, body = call(
            self.port, "PATCH", "/api/settings", {"rateLimits": {"enabled": True, "rules": rules}}, {"Authorization": body["token"]})
        assert status == 200 and body["rateLimits"]["enabled"], (status, body)

    def add_user(self, number):
        email = f"user{number}@example.com"
        status, body = call(
            self.port, "POST", "/api/collections/users/records", {"email": email, "password": PASSWORD, "passwordConfirm": PASSWORD})
        assert status == 200, (status, body)
        user = {"email": email, "id": body["id"]}
        self.log_in(user)
        return user

    def log_in(self, user):
        status, body = call(
            self.port, "POST", "/api/collections/users/auth-with-password", {"identity": user["email"], "password": PASSWORD})
        assert status == 200, (status, body)
        user.update(access=body["token"], refresh=body["token"])

    own_record_prefix = ""
    log_in_path, log_in_field = "/api/collections/users/auth-with-password", "identity"

    def own_record(self, user) -> str:
        return f"/api/collections/users/records/{user['id']} {user['access']}"
