"""What the measurements share: processes, HTTP by the standard library, wrk."""

from __future__ import annotations

import http.client
import json
import os
import pathlib
import random
import socket
import statistics
import subprocess
import threading
import time

HERE = pathlib.Path(__file__).resolve().parents[1]
ROOT = HERE.parent
RESULTS = HERE / "results"
LOAD = HERE / "load"
PASSWORD = "Correct-Horse-9-battery"
CORES = len(os.sched_getaffinity(0))


def free_port() -> int:
    """One below those that the kernel gives to outgoing connections: until it is listened on, nobody else comes by it."""
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", random.randrange(10_000, 32_000)))
            except OSError:
                continue
            return probe.getsockname()[1]


def call(port: int, method: str, path: str, body=None, headers: dict | None = None, timeout: float = 60) -> tuple[int, dict]:
    status, _, content = exchange(port, method, path, body, headers, timeout)
    return status, content


def exchange(port: int, method: str, path: str, body=None, headers: dict | None = None, timeout: float = 60):
    """Status, fields and JSON of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        data = None if body is None else json.dumps(body)
        connection.request(method, path, data, {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        content = answer.read()
        return answer.status, answer.headers, json.loads(content) if content else {}
    finally:
        connection.close()


def wrk(port: int, path: str, seconds: float, connections: int, script: str = "plain", threads: int = 2, timeout: int = 10, scheme: str = "http",
        **env) -> dict:
    """One run of whole seconds, since wrk knows no others; the script's report, with `rate` (requests answered with success, per second)."""
    threads = min(threads, connections)
    environment = {**os.environ, "LOAD_FOLDER": str(LOAD), "THREADS": str(threads), **env}
    done = subprocess.run(
        ["wrk", f"-t{threads}", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", f"{timeout}s", "-s", str(LOAD / f"{script}.lua"),
         f"{scheme}://127.0.0.1:{port}{path}"], env=environment, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout.strip().splitlines()[-1])
    report["rate"] = (report["requests"] - report["refused"]) / report["seconds"]
    return report


def lines(name: str, entries: list[str]) -> str:
    """Writes a file for a wrk script, and returns its path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / name
    path.write_text("".join(entry + "\n" for entry in entries))
    return str(path)


class Prober:
    """Asks /health on one kept connection every few milliseconds, while something else goes on."""

    def __init__(self, port: int, path: str, every: float = 0.004):
        self.port, self.path, self.every = port, path, every
        self.latencies: list[float] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        self._thread.join()

    def _run(self):
        request = f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not self._stopping.wait(self.every):
                begun = time.monotonic()
                connection.sendall(request)
                connection.recv(65536)
                self.latencies.append(time.monotonic() - begun)

    def percentile_ms(self, percent: float) -> float:
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else float("nan")


def bcrypt_capacity(cost: int, seconds: float) -> float:
    program = RESULTS / "bcrypt-capacity"
    source = LOAD / "bcrypt-capacity.c"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        RESULTS.mkdir(exist_ok=True)
        subprocess.run(["gcc", "-O2", "-pthread", "-o", str(program), str(source), "-lcrypt"], check=True)
    return float(subprocess.run([str(program), str(cost), str(CORES), str(seconds)], capture_output=True, text=True, check=True).stdout)


median = statistics.median
