"""Instructions of the processor for each request: a figure that other work on the machine does not move, so that a request that became dearer is
seen at once. Counted by callgrind, which needs no counters of the processor and counts what runs in the process, not in the kernel."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import shutil
import socket
import ssl
import subprocess

from . import report
from .proxy import GUARDED, OPEN, ProxyGatehouse, Upstream
from .rows import Plan
from .servers import Gatehouse
from .tools import HERE, RESULTS

# Requests under way at once, and rounds of so many: of each kind, in each of the samples.
CONNECTIONS, ROUNDS, SAMPLES = 32, 12, 3
# By how much a kind of request may have become dearer than the table says.
TOLERANCE = 1.05
NAME = "instructions"


class CountedGatehouse(ProxyGatehouse):
    """Under callgrind once `is_counted` is set; accounts are made before that, since there everything takes fifty times as long."""

    def __init__(self, upstream: Upstream):
        super().__init__(upstream)
        self.is_counted = False
        self.dumps = 0

    def command(self):
        command = super().command()
        if not self.is_counted:
            return command
        # The debug symbols beside the binary are of a newer DWARF than Debian 12's valgrind reads: of them, only the names.
        plain, names = self.folder / "gatehouse", self.folder / "gatehouse.debug"
        subprocess.run(["objcopy", "--remove-section", ".gnu_debuglink", self.binary, plain], check=True)
        symbols = self.binary.with_suffix(".debug")
        if symbols.exists():
            subprocess.run(["strip", "--strip-debug", "-o", names, symbols], check=True)
            subprocess.run(["objcopy", f"--add-gnu-debuglink={names}", plain], check=True)
        return ["valgrind", "--tool=callgrind", f"--callgrind-out-file={self.folder}/callgrind", str(plain), *command[1:]]

    def _told(self, order: str) -> None:
        subprocess.run(["vgdb", f"--pid={self.process.pid}", order], check=True, capture_output=True, timeout=60)

    def forget(self) -> None:
        self._told("zero")

    def instructions(self, profile: pathlib.Path) -> int:
        """Of all its threads, since `forget`. By function in `profile`, for callgrind_annotate(1)."""
        self._told("dump")
        self.dumps += 1
        dump = shutil.move(self.folder / f"callgrind.{self.dumps}", profile)
        return int(re.search(r"^totals: (\d+)", dump.read_text(), re.MULTILINE)[1])


class Client:
    """Connections that are kept. A round is one request on each of them, all sent before the first answer is read."""

    def __init__(self, port: int, certificate: pathlib.Path | None = None):
        self.connections = []
        context = ssl.create_default_context(cafile=certificate) if certificate else None
        for _ in range(CONNECTIONS):
            connection = socket.create_connection(("127.0.0.1", port), timeout=60)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections.append(context.wrap_socket(connection, server_hostname="localhost") if context else connection)

    def round(self, requests: list[bytes]) -> list[bytes]:
        for connection, request in zip(self.connections, requests):
            connection.sendall(request)
        return [self._answer(connection) for connection in self.connections]

    def close(self) -> None:
        for connection in self.connections:
            connection.close()

    @staticmethod
    def _answer(connection: socket.socket) -> bytes:
        content = b""
        while b"\r\n\r\n" not in content:
            content += connection.recv(65536) or _fail("the server closed the connection")
        head, body = content.split(b"\r\n\r\n", 1)
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 204")):
            _fail(head.decode(errors="replace"))
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        while len(body) < (int(length[1]) if length else 0):
            body += connection.recv(65536) or _fail("the server closed the connection")
        return body


def _fail(text: str):
    raise RuntimeError(text)


@dataclasses.dataclass
class Kind:
    """A kind of request. `field` is what it carries beside the host: of the user whose turn it is."""

    name: str
    path: str
    field: str = ""
    is_secure: bool = False

    def requests(self, server: CountedGatehouse) -> list[bytes]:
        authority = f"localhost:{server.secure_port}" if self.is_secure else f"127.0.0.1:{server.port}"
        return [
            f"GET {self.path} HTTP/1.1\r\nHost: {authority}\r\n{self.field.format(**user)}\r\n".encode()
            for user in server.users
        ]


BEARER = "Authorization: Bearer {access}\r\n"
KINDS = [
    Kind("health", Gatehouse.health),
    Kind("health, HTTPS", Gatehouse.health, is_secure=True),
    Kind("who am I, bearer token", "/api/v1/auth/me", BEARER),
    Kind("forward-auth", "/api/v1/auth/verify", BEARER),
    Kind("proxied, everyone may pass, no limits", OPEN + "/small"),
    Kind("proxied, signed in and limited", GUARDED + "/small", BEARER),
    Kind("proxied, signed in and limited, HTTPS", GUARDED + "/small", BEARER, is_secure=True),
]
REFRESH = "token refresh, durable"
# So many on one connection that its handshake is less than a hundredth of the figure.
STREAMED, STREAMS = "proxied, signed in and limited, HTTP/2", 1920


def refresh_requests(server: CountedGatehouse) -> list[bytes]:
    bodies = [f'{{"refresh_token":"{user["refresh"]}"}}' for user in server.users]
    return [
        f"POST /api/v1/auth/refresh HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        for body in bodies
    ]


def refresh_round(server: CountedGatehouse, client: Client) -> None:
    for user, answer in zip(server.users, client.round(refresh_requests(server))):
        user["refresh"] = re.search(rb'"refresh_token":"([^"]+)"', answer)[1].decode()


def streams(server: CountedGatehouse) -> None:
    """So many that a connection has under way at once."""
    done = subprocess.run(
        ["h2load", "-t1", "-c1", f"-m{CONNECTIONS}", f"-n{STREAMS}", "-H", f"authorization: Bearer {server.users[0]['access']}", "--connect-to",
         f"127.0.0.1:{server.secure_port}", f"https://localhost:{server.secure_port}{GUARDED}/small"],
        capture_output=True, text=True, check=True)
    if f"{STREAMS} 2xx" not in done.stdout or "Application protocol: h2" not in done.stdout:
        _fail(done.stdout)


def sampled(server: CountedGatehouse, name: str, play, rounds: int = ROUNDS, requests: int = CONNECTIONS) -> float:
    """The least of some samples: what else the server does now and then is not the request's."""
    for _ in range(min(3, rounds)):
        play()
    figures = []
    profile = RESULTS / f"callgrind-{re.sub('[^a-zA-Z0-9]+', '-', name)}"
    for _ in range(SAMPLES):
        server.forget()
        for _ in range(rounds):
            play()
        figures.append(server.instructions(profile) / rounds / requests)
    return min(figures)


def counted(tell) -> dict[str, float]:
    upstream = Upstream()
    server = CountedGatehouse(upstream)
    figures = {}
    try:
        upstream.start()
        server.start()
        server.add_users(4)
        # A session for each connection, or a rotation would meet another's.
        server.users = server.renewed(CONNECTIONS)
        server.stop()
        server.is_counted = True
        server.start()
        for kind in KINDS:
            client = Client(server.secure_port if kind.is_secure else server.port, server.certificate if kind.is_secure else None)
            requests = kind.requests(server)
            figures[kind.name] = sampled(server, kind.name, lambda: client.round(requests))
            client.close()
            tell(f"{kind.name}: {report.number(figures[kind.name])}")
        figures[STREAMED] = sampled(server, STREAMED, lambda: streams(server), rounds=1, requests=STREAMS)
        tell(f"{STREAMED}: {report.number(figures[STREAMED])}")
        client = Client(server.port)
        figures[REFRESH] = sampled(server, REFRESH, lambda: refresh_round(server, client))
        client.close()
        tell(f"{REFRESH}: {report.number(figures[REFRESH])}")
    finally:
        server.close()
        upstream.close()
    return figures


def recorded() -> dict[str, float]:
    """What the table of README.md says."""
    content = report.section(HERE / "README.md", NAME)
    return {name: float(figure.replace(" ", "")) for name, figure in re.findall(r"^\| ([^|]+) \| ([\d ]+) \|", content, re.MULTILINE)}


def dearer(figures: dict[str, float], before: dict[str, float]) -> list[str]:
    return [name for name, figure in figures.items() if name in before and figure > before[name] * TOLERANCE]


def table(figures: dict[str, float], before: dict[str, float]) -> str:
    cells = [
        [name, report.number(figure), report.number(before.get(name)), f"{figure / before[name]:.3f}" if name in before else ""]
        for name, figure in figures.items()
    ]
    return report.table(["request", "instructions", "before", "ratio"], cells)


def section(plan: Plan, how: str) -> list[str]:
    """As many requests in every plan: it is not a matter of time."""
    before = recorded()
    figures = counted(lambda text: print(text, flush=True))
    version = subprocess.run(["valgrind", "--version"], capture_output=True, text=True, check=True).stdout.strip().removeprefix("valgrind-")
    how = f"{SAMPLES} samples of {ROUNDS * CONNECTIONS} requests each ({STREAMS} over HTTP/2), the least of them."
    dear = dearer(figures, before)
    return [
        report.taken({"Gatehouse": Gatehouse.version(), "valgrind": version}, how), table(figures, before),
        f"{report.DEARER}{'; '.join(dear)}." if dear else "",
    ]
