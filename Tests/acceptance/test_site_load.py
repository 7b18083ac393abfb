"""Many clients at once, slow ones, too many of them, and too few descriptors: what an honest client at the gateway notices."""

import contextlib
import json
import pathlib
import re
import resource
import socket
import subprocess
import sys
import threading
import time

import pytest

from beside import Beside
from others import nginx_with_files
from recording import Gone, Recorder, response
from sites import SiteGatehouse
from waiting import eventually

HERE = pathlib.Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def nginx(tmp_path_factory, descriptors):
    made = nginx_with_files(tmp_path_factory.mktemp("nginx") / "files").start()
    yield made
    made.close()


@pytest.fixture(scope="module")
def other(tmp_path_factory, descriptors):
    """Another application."""
    made = nginx_with_files(tmp_path_factory.mktemp("other") / "files").start()
    yield made
    made.close()


@pytest.fixture(scope="module", autouse=True)
def descriptors():
    """As many as may be had, for the servers that inherit the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextlib.contextmanager
def crowd(server: SiteGatehouse, count: int, kind: str, seconds: float = 60):
    """A crowd that is there; `tell()` of what is yielded ends it, and returns what it saw."""
    process = subprocess.Popen(
        [sys.executable, HERE / "crowd.py", str(server.port), str(count), kind, str(seconds), server.authority("http")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def told(process: subprocess.Popen) -> dict:
    return json.loads(process.stdout.readline())


def ended(process: subprocess.Popen) -> dict:
    process.stdin.close()
    return told(process)


class Fresh(Beside):
    """A client that comes anew each time, and how long it waits."""

    def __init__(self, server: SiteGatehouse, path: str, *fields: tuple[str, str], every: float = 0.02):
        super().__init__(every)
        self.server, self.path, self.fields = server, path, fields
        self.waits: list[float] = []
        self.wrong: list[str] = []

    def once(self):
        begun = time.monotonic()
        try:
            with self.server.client("http", timeout=5) as client:
                status = client.get(self.path, *self.fields).status
                if status != 200:
                    self.wrong.append(str(status))
        except Exception as error:  # noqa: BLE001: told by the test
            self.wrong.append(repr(error))
        self.waits.append(time.monotonic() - begun)

    def percentile(self, percent: float) -> float:
        return sorted(self.waits)[min(len(self.waits) - 1, int(len(self.waits) * percent / 100))]


def wrk(server: SiteGatehouse, connections: int, seconds: int, path: str, *fields: tuple[str, str], secure: bool = False) -> dict:
    """What wrk tells: requests a second, latencies in milliseconds, and what failed."""
    protocol = "https" if secure else "http"
    named = [part for name, value in (("Host", server.authority(protocol)), *fields) for part in ("-H", f"{name}: {value}")]
    url = f"{protocol}://127.0.0.1:{server.https_port if secure else server.port}{path}"
    text = subprocess.run(["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "--timeout", "5s", "--latency", *named, url], capture_output=True, text=True, check=True).stdout
    latencies = {percent: float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit] for percent, number, unit in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s)", text)}
    failed = sum(int(number) for number in re.findall(r"(?:connect|read|write|timeout) (\d+)", text)) + sum(int(number) for number in re.findall(r"Non-2xx or 3xx responses: (\d+)", text))
    return {"rate": float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]), "p50": latencies["50"], "p99": latencies["99"], "failed": failed}


def test_ten_thousand_idle_and_a_thousand_busy(make_sites, nginx, record_property):
    """A crowd that has been answered and stays, and a thousand who ask without pause: nobody fails, and memory is a few KB for each."""
    server = make_sites([{"upstream": nginx.url, "access": "optional"}], {"http": {"max_connections": 15_000}}).start()
    user = server.user()
    assert wrk(server, 64, 1, "/small", user.bearer)["failed"] == 0
    before = server.resident_mb()
    with crowd(server, 10_000, "idle") as process:
        opened = told(process)
        assert opened["alive"] == 10_000 and opened["answered"] == 10_000 and not opened["ended"], opened
        idle = server.resident_mb()
        with Fresh(server, "/small") as fresh:
            busy = wrk(server, 1000, 4, "/small", user.bearer)
        loaded = server.resident_mb()
        over = ended(process)
    figures = {"rate": busy["rate"], "p50_ms": busy["p50"], "p99_ms": busy["p99"], "fresh_p99_ms": 1000 * fresh.percentile(99), "memory_mb": (before, idle, loaded)}
    record_property("figures", figures)
    print(figures)
    assert over["alive"] == 10_000, f"idle clients were ended: {over}"
    assert busy["failed"] == 0 and not fresh.wrong, (busy, fresh.wrong[:3])
    assert fresh.percentile(99) < 0.5, figures
    assert (idle - before) * 1e6 / 10_000 < 12_000, "bytes for each that is idle"
    assert loaded < 200, figures


@pytest.mark.parametrize(("kind", "count"), [("head", 10_000), ("body", 8_000), ("reader", 8_000)])
def test_a_fresh_client_is_answered_among_thousands_of_slow_ones(make_sites, nginx, other, kind, count):
    """CHECKLIST 57: ten thousand with half a head; with half a body, or an answer that is not read, as many as there are descriptors for, since
    each holds a connection to the application too. Somebody else is answered through it all, at this application and at another."""
    times = {name: "4s" for name in ("header_timeout", "body_timeout", "write_timeout")}
    server = make_sites([
        {"upstream": nginx.url, "access": "public"}, {"path": "/signed", "upstream": other.url, "strip_prefix": True}],
        {"http": {"max_connections": 14_000, **times}}).start()
    user = server.user()
    with Fresh(server, "/signed/small", user.bearer) as fresh, Fresh(server, "/small") as neighbour, crowd(server, count, kind, 20) as process:
        opened = told(process)
        assert opened["refused"] == 0, opened
        # All of them are ended in their time: until then, and while it happens, the others are served.
        eventually(lambda: server.descriptors() < 200, 25)
    for each in (fresh, neighbour):
        assert not each.wrong, (each.path, len(each.wrong), each.wrong[:5], len(each.waits))
        assert each.percentile(99) < 0.5, f"{each.path}: p99 {each.percentile(99):.3f} s, {max(each.waits):.3f} s"
    # Of an answer that is not read there are 64 KiB on their way to the client, and as much was read of the application meanwhile.
    assert server.resident_mb() < (60 + count * 0.16 if kind == "reader" else 250)


def test_out_of_descriptors(make_sites, nginx):
    """CHECKLIST 53 at the gateway: neither the door nor the way to the application spins or stays shut."""
    server = make_sites([{"upstream": nginx.url, "access": "public"}], wrapper=["prlimit", "--nofile=120:120", "--"])
    server.spawn()
    server.wrapper = []
    server.wait_ready()
    held = []

    try:
        for _ in range(200):
            try:
                held.append(socket.create_connection(("127.0.0.1", server.port), timeout=2))
                held[-1].sendall(f"GET /mebibyte HTTP/1.1\r\nHost: {server.authority('http')}\r\n\r\n".encode())
            except OSError:
                break
        before = server.processor_seconds()
        time.sleep(1)
        assert server.processor_seconds() - before < 0.4, "it spins"
        assert server.is_running()
    finally:
        for connection in held:
            connection.close()

    def answers() -> bool:
        try:
            with server.client("http", timeout=2) as client:
                return client.get("/small").status == 200
        except OSError:
            return False
        except Exception:  # noqa: BLE001: closed in the middle is no answer either
            return False

    eventually(answers, 10)


class OpenLoop:
    """Asks at a fixed rate, whatever comes back: as a crowd does, which does not wait for each other."""

    def __init__(self, server: SiteGatehouse, path: str, workers: int = 700):
        self.server, self.path, self.workers = server, path, workers

    def goodput(self, rate: float, seconds: float) -> tuple[float, float]:
        """Answers of 200 in less than a second, each second once it has settled; and the median wait of those."""
        good: list[float] = []
        settled = seconds / 4
        begun = time.monotonic()
        numbers, lock = iter(range(int(rate * seconds))), threading.Lock()

        def run():
            client = None
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    break
                due = begun + number / rate
                time.sleep(max(0, due - time.monotonic()))
                try:
                    client = client or self.server.client("http", timeout=1)
                    answered = client.get(self.path).status
                    if answered == 200 and time.monotonic() - due < 1 and due - begun > settled:
                        good.append(time.monotonic() - due)
                except Exception:  # noqa: BLE001: counts as not answered
                    if client:
                        client.socket.close()
                    client = None
            if client:
                client.socket.close()

        threads = [threading.Thread(target=run) for _ in range(self.workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(good) / (seconds - settled), sorted(good)[len(good) // 2] if good else float("inf")


def test_three_times_what_the_application_can_carry(make_sites, record_property):
    """CHECKLIST 58: an application that does 200 requests a second is asked for 600; it goes on doing most of its 200, and recovers."""
    at_once = threading.Semaphore(4)

    def working(link):
        link.read_body()
        with at_once:
            # Who has left is not worked for: what lies in a queue costs nothing.
            if link.is_left():
                raise Gone
            time.sleep(0.02)
        link.send(response())

    application = Recorder(working)
    try:
        server = make_sites([{"upstream": application.url, "access": "public", "max_connections": 8}]).start()
        load = OpenLoop(server, "/x")
        peak, _ = load.goodput(180, 2)
        overloaded, wait = load.goodput(600, 4)
        eventually(lambda: OpenLoop(server, "/x", 20).goodput(20, 0.5)[0] > 15, 5)
        record_property("figures", {"peak": peak, "overloaded": overloaded, "median_wait": wait})
        print(peak, overloaded, wait)
        assert overloaded > 0.8 * peak, (peak, overloaded)
    finally:
        application.close()


def test_three_times_what_the_gateway_can_carry(make_sites, nginx, record_property):
    """CHECKLIST 58: three times the connections that saturate it, on both doors; what is answered does not become less."""
    server = make_sites([{"upstream": nginx.url, "access": "public"}, {"path": "/signed", "upstream": nginx.url, "strip_prefix": True}]).start()
    user = server.user()
    wrk(server, 64, 1, "/signed/small", user.bearer)
    # In turn, and the best of each: what else the machine does is nobody's fault.
    rounds = [(wrk(server, 128, 1, "/signed/small", user.bearer), wrk(server, 384, 1, "/signed/small", user.bearer)) for _ in range(3)]
    peak, overloaded = (max(each[index]["rate"] for each in rounds) for index in (0, 1))
    begun = time.monotonic()
    with server.client("http") as client:
        assert client.get("/signed/small", user.bearer).status == 200
    record_property("figures", {"peak": peak, "overloaded": overloaded})
    print(peak, overloaded)
    assert all(more["failed"] == 0 for _, more in rounds) and overloaded > 0.8 * peak and time.monotonic() - begun < 1, (peak, overloaded)
