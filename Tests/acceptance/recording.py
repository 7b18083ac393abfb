"""An application that reads strictly and keeps what it received, byte by byte; what it answers is the test's."""

from __future__ import annotations

import pathlib
import re
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from waiting import eventually

TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
TARGET = re.compile(rb"/[!-~]*|\*")
VALUE = re.compile(rb"(?:[!-~\x80-\xff](?:[ \t!-~\x80-\xff]*[!-~\x80-\xff])?)?")


class Violation(Exception):
    """Bytes that RFC 9112 does not allow a client to send, or that two readers could read differently."""


class Gone(Exception):
    """The other end closed the connection."""


@dataclass
class Received:
    """A request as it came. `connection` counts the connections, so that those on one share it; complete is one of which all has been read
    and that has been answered."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    head: bytes
    connection: int
    body: bytes = b""
    trailers: list[tuple[str, str]] = field(default_factory=list)
    is_complete: bool = False

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def one(self, name: str) -> str:
        values = self.all(name)
        assert len(values) == 1, f"{name}: {values}"
        return values[0]

    def spelt(self, name: str) -> list[str]:
        """The fields that an application may take for this one: whatever the case, with `_` or `.` for `-`."""
        return [key for key, _ in self.headers if re.sub("[_.]", "-", key.lower()) == name.lower()]


class Link:
    """One connection to the application, as its answering sees it."""

    def __init__(self, connection: socket.socket, number: int):
        self.socket, self.number = connection, number
        self.request: Received | None = None
        self._buffer = b""
        self._has_body = False

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def reset(self) -> None:
        """Ends the connection with a reset: as a process that is killed."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.socket.close()

    def is_left(self) -> bool:
        """Whether the other end has closed the connection by now."""
        try:
            return self.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def more(self) -> None:
        try:
            data = self.socket.recv(65536)
        except OSError:
            data = b""
        if not data:
            raise Gone
        self._buffer += data

    def line(self) -> bytes:
        while b"\n" not in self._buffer:
            self.more()
        line, self._buffer = self._buffer.split(b"\n", 1)
        if not line.endswith(b"\r") or b"\r" in line[:-1] or b"\0" in line:
            raise Violation(f"bare CR, bare LF or NUL: {line!r}")
        return line[:-1]

    def take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self.more()
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def fields(self) -> list[tuple[str, str]]:
        found = []
        while line := self.line():
            name, colon, value = line.partition(b":")
            value = value.strip(b" \t")
            if not colon or not TOKEN.fullmatch(name) or not VALUE.fullmatch(value):
                raise Violation(f"field: {line!r}")
            found.append((name.decode(), value.decode("latin-1")))
        return found

    def read_head(self) -> Received:
        first = self.line()
        parts = first.split(b" ")
        if len(parts) != 3 or not TOKEN.fullmatch(parts[0]) or not TARGET.fullmatch(parts[1]) or parts[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
            raise Violation(f"request line: {first!r}")
        headers = self.fields()
        head = b"\r\n".join([first, *(f"{name}: {value}".encode("latin-1") for name, value in headers)])
        request = Received(parts[0].decode(), parts[1].decode(), headers, head, self.number)
        lengths, codings = request.all("content-length"), request.all("transfer-encoding")
        if len(request.all("host")) != 1:
            raise Violation(f"Host: {request.all('host')}")
        if len(lengths) + len(codings) > 1 or any(not re.fullmatch("[0-9]{1,18}", each) for each in lengths) or codings not in ([], ["chunked"]):
            raise Violation(f"length of the body: {lengths} {codings}")
        self.request, self._has_body = request, bool(lengths or codings)
        return request

    def part(self) -> bytes:
        """The next chunk; empty after the last one, whose trailers are then read."""
        size = self.line()
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,16}", size):
            raise Violation(f"chunk size: {size!r}")
        data = self.take(int(size, 16))
        if data and self.take(2) != b"\r\n":
            raise Violation("a chunk that is longer than its size")
        if not data:
            self.request.trailers, self._has_body = self.fields(), False
        return data

    def read_body(self) -> bytes:
        """What is left of it."""
        request = self.request
        if self._has_body and request.all("transfer-encoding"):
            parts = []
            while part := self.part():
                parts.append(part)
            request.body += b"".join(parts)
        elif self._has_body:
            request.body = self.take(int(request.one("content-length")))
        self._has_body = False
        return request.body


def response(status: int = 200, body: bytes = b"ok", *fields: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Some reason", f"Content-Length: {len(body)}", *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def agreeing(link: Link) -> None:
    """Reads the whole request, and answers 200."""
    link.read_body()
    link.send(response(200, b"" if link.request.method == "HEAD" else b"ok"))


class Recorder:
    """Serves on loopback, or on a Unix socket. `answering` is called once a head has been read; the connection is kept after it, unless it
    closed the socket."""

    def __init__(self, answering: Callable[[Link], None] = agreeing, path: pathlib.Path | None = None, tls: ssl.SSLContext | None = None):
        self.answering = answering
        self.requests: list[Received] = []
        self.violations: list[str] = []
        self.connections = 0
        # The numbers of those that have ended.
        self.closed: set[int] = set()
        self._tls = tls
        self._lock = threading.Lock()
        self._listener = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self._listener.bind(str(path) if path else ("127.0.0.1", 0))
        self._listener.listen(1024)
        self.port = 0 if path else self._listener.getsockname()[1]
        self.url = f"unix:{path}" if path else f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # Wakes the thread that accepts; closing alone does not.
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()

    def forget(self) -> None:
        with self._lock:
            self.requests, self.violations = [], []

    def awaited(self, count: int = 1, within: float = 10) -> list[Received]:
        """The requests, once so many of them have come."""
        eventually(lambda: len(self.requests) >= count, within)
        return self.requests

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            link = Link(connection, number)
            while True:
                request = link.read_head()
                with self._lock:
                    self.requests.append(request)
                self.answering(link)
                link.read_body()
                request.is_complete = True
        except (Gone, OSError, ValueError):
            pass
        except Violation as found:
            self.violations.append(str(found))
        finally:
            connection.close()
            self.closed.add(number)
