"""The server under test: the release binary, started on free loopback ports with a data folder of its own."""

from __future__ import annotations

import itertools
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import time

import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("GATEHOUSE_BINARY", ROOT / ".build/release/gatehouse"))
PASSWORD = "Correct-Horse-9-battery"

# What a test sets to have its load admitted: the limits are there, and never reached.
WIDE = {"limit": 1_000_000, "window": "1s"}
OPEN_LIMITS = {
    "policies": {name: WIDE for name in ("api", "auth", "login", "login-account", "register", "password-reset")}
}
# The cheapest hash that may be configured: what is tested here is not bcrypt.
QUICK_AUTH = {"bcrypt_cost": 10}
QUICK = {"auth": QUICK_AUTH, "limits": OPEN_LIMITS}


_lots = random.SystemRandom()


def free_port() -> int:
    """One below those that the kernel gives to outgoing connections: until it is listened on, nobody else comes by it."""
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("", _lots.randrange(10_000, 32_000)))
            except OSError:
                continue
            return probe.getsockname()[1]


def _value(value) -> str:
    """A scalar, a list of scalars, or an inline table."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {json.dumps(entry)}" for key, entry in value.items()) + " }"
    return json.dumps(value)


def _is_tables(value) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def toml(settings: dict, path: tuple[str, ...] = ()) -> str:
    """Writes nested dictionaries as TOML: scalars and lists of scalars first, then a table for each dictionary, and one for each entry of a
    list of dictionaries, in which a further dictionary is an inline table."""
    lines = [f"[{'.'.join(path)}]"] if path else []
    lines += [f"{key} = {_value(value)}" for key, value in settings.items() if not isinstance(value, dict) and not _is_tables(value)]
    text = "\n".join(lines) + "\n"
    text += "".join(toml(value, path + (key,)) for key, value in settings.items() if isinstance(value, dict))
    for key, entries in settings.items():
        for entry in entries if _is_tables(entries) else []:
            text += "\n".join([f"[[{'.'.join(path + (key,))}]]", *(f"{name} = {_value(value)}" for name, value in entry.items())]) + "\n"
    return text


def merged(*settings: dict) -> dict:
    """One made of all, the later ones first in force; it shares no table with them."""
    result: dict = {}
    for layer in settings:
        for key, value in layer.items():
            if isinstance(value, dict):
                before = result.get(key)
                value = merged(before if isinstance(before, dict) else {}, value)
            result[key] = value
    return result


class Gatehouse:
    """One server process and its folder. It can be started again on the same folder after it has ended."""

    def __init__(self, folder: pathlib.Path, settings: dict | None = None, env: dict | None = None, wrapper: list | None = None):
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = merged(
            {
                "public_url": self.url,
                "data_dir": str(self.data),
                "listen": {"http": [f"127.0.0.1:{self.port}"]},
                "log": {"level": "info", "format": "json"},
            },
            settings or {},
        )
        self.data = pathlib.Path(self.settings["data_dir"])
        self.env = env or {}
        self.wrapper = wrapper or []
        self.config = folder / "gatehouse.toml"
        self.log = folder / "server.log"
        self.process: subprocess.Popen | None = None
        self._names = itertools.count(1)
        folder.mkdir(parents=True, exist_ok=True)
        self.write_config()

    def write_config(self) -> None:
        self.config.write_text(toml(self.settings))

    def environment(self) -> dict:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("GATEHOUSE_") and key != "PORT"}
        return {**clean, **self.env}

    # The process

    def spawn(self) -> subprocess.Popen:
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.wrapper, str(BINARY), "serve", "--config", str(self.config)],
                cwd=self.folder, env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )
        return self.process

    def start(self, within: float = 15) -> "Gatehouse":
        self.spawn()
        self.wait_ready(within)
        return self

    def wait_ready(self, within: float = 15, path: str = "/api/v1/health/ready") -> None:
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the server left with {self.process.returncode}:\n{self.log_text()[-4000:]}")
            try:
                if requests.get(self.url + path, timeout=2).status_code == 200:
                    # Where there are two doors, the other one opens at the same time, not at the same instant.
                    if secure := getattr(self, "https_port", None):
                        socket.create_connection(("127.0.0.1", secure), timeout=2).close()
                    return
            except (requests.RequestException, OSError):
                pass
            time.sleep(0.005)
        raise AssertionError(f"not ready within {within} s:\n{self.log_text()[-4000:]}")

    def server_pid(self) -> int:
        """The server's own process: below the wrapper where there is one."""
        pid = self.process.pid
        while self.wrapper:
            children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            if not children:
                break
            pid = int(children[0])
        return pid

    def resident_mb(self) -> float:
        status = pathlib.Path(f"/proc/{self.server_pid()}/status").read_text()
        return int(re.search(r"VmRSS:\s*(\d+)", status)[1]) / 1000

    def descriptors(self) -> int:
        return len(list(pathlib.Path(f"/proc/{self.server_pid()}/fd").iterdir()))

    def processor_seconds(self) -> float:
        """What it has used so far, see proc(5): fields 14 and 15 of stat."""
        fields = pathlib.Path(f"/proc/{self.server_pid()}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """`kill -9`, as the power failing for the process."""
        if self.process and self.process.poll() is None:
            os.kill(self.server_pid(), signal.SIGKILL)
            self.process.wait(10)

    def stop(self, within: float = 35) -> int:
        """Asks the server to leave, and returns its exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            os.kill(self.server_pid(), signal.SIGTERM)
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running {within} s after SIGTERM:\n{self.log_text()[-4000:]}") from None

    def restart(self) -> "Gatehouse":
        assert self.stop() == 0
        return self.start()

    def wait_exit(self, within: float) -> int:
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {within} s:\n{self.log_text()[-4000:]}") from None

    # The log

    def log_text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def log_entries(self) -> list[dict]:
        entries = []
        for line in self.log_text().splitlines():
            try:
                entries.append(json.loads(line))
            except json.JSONDecodeError:
                continue
        return entries

    # The command line

    def run(self, *arguments: str, text: str | None = None, within: float = 30) -> subprocess.CompletedProcess:
        """A command on this server's configuration. `text` goes to its standard input."""
        return subprocess.run(
            [str(BINARY), *arguments, "--config", str(self.config)], cwd=self.folder, env=self.environment(),
            input=text or "", capture_output=True, text=True, timeout=within,
        )

    def run_json(self, *arguments: str):
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, (arguments, done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout)

    # The API

    def call(self, method: str, path: str, token: str | None = None, session: requests.Session | None = None, **more):
        """One request, without cookies unless a session is given."""
        headers = dict(more.pop("headers", {}))
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return (session or requests).request(
            method, self.url + path, headers=headers, timeout=more.pop("timeout", 20), allow_redirects=False, **more
        )

    def address(self, name: str = "user") -> str:
        """An address that no other account of this server has."""
        return f"{name}{next(self._names)}.{os.getpid()}@example.com"

    def register(self, email: str | None = None, password: str = PASSWORD, **more) -> dict:
        answer = self.call("POST", "/api/v1/auth/register", json={"email": email or self.address(), "password": password, **more})
        assert answer.status_code == 201, (answer.status_code, answer.text)
        return answer.json()

    def login(self, email: str, password: str = PASSWORD) -> requests.Response:
        return self.call("POST", "/api/v1/auth/login", json={"email": email, "password": password})

    def me(self, token: str) -> requests.Response:
        return self.call("GET", "/api/v1/auth/me", token=token)

    def refused_within(self, token: str, seconds: float = 1) -> float:
        """How long it takes until the token is refused; fails where that is longer."""
        begun = time.monotonic()
        while self.me(token).status_code != 401:
            assert time.monotonic() - begun < seconds, "still admitted"
            time.sleep(0.002)
        return time.monotonic() - begun

    def refresh(self, token: str) -> requests.Response:
        return self.call("POST", "/api/v1/auth/refresh", json={"refresh_token": token})

    def logout(self, token: str) -> requests.Response:
        return self.call("POST", "/api/v1/auth/logout", token=token)


def assert_problem(answer: requests.Response, status: int, code: str) -> dict:
    """The answer is a problem document (RFC 9457) of that status and code; returns it."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.headers["Content-Type"].split(";")[0] == "application/problem+json", answer.headers
    body = answer.json()
    assert body["code"] == code, body
    assert body["status"] == status and body["title"] and body["instance"] and body["request_id"], body
    assert body["type"].endswith("/problems/" + code), body
    if status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    return body
