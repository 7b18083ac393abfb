"""A small, strict HTTP/1.1 client on a bare socket, for what `requests` smooths over."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""
    trailers: list[tuple[str, str]] = field(default_factory=list)
    # The statuses of the interim responses before it.
    interims: list[int] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name.lower()]

    def one(self, name: str) -> str:
        values = self.all(name)
        assert len(values) == 1, f"{name}: {values}"
        return values[0]


class Closed(Exception):
    """The server closed the connection where more was due."""


class Connection:
    def __init__(self, port: int, timeout: float = 10):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def _more(self) -> None:
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            raise Closed(self._buffer)
        self._buffer += data

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            assert b"\n" not in self._buffer, f"a bare LF in {self._buffer[:200]!r}"
            self._more()
        line, self._buffer = self._buffer.split(b"\r\n", 1)
        return line

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._more()
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    # What follows an upgrade is not HTTP.

    @property
    def buffered(self) -> int:
        return len(self._buffer)

    def wait(self) -> None:
        """Until there is something more."""
        self._more()

    def taken(self) -> bytes:
        data, self._buffer = self._buffer, b""
        return data

    def interim(self) -> int:
        """The status of the interim response (1xx) that is due now."""
        status = int(self._line().split(b" ")[1])
        while self._line():
            pass
        return status

    def _fields(self) -> list[tuple[str, str]]:
        fields = []
        while line := self._line():
            name, value = line.split(b":", 1)
            assert name == name.strip() and name, line
            fields.append((name.decode("ascii").lower(), value.decode("latin-1").strip()))
        return fields

    def head(self) -> Answer:
        """The head of the next response that is not an interim one."""
        interims = []
        while True:
            version, status, _ = (self._line() + b" ").split(b" ", 2)
            assert version == b"HTTP/1.1" and len(status) == 3, (version, status)
            headers = self._fields()
            if int(status) >= 200 or int(status) == 101:
                break
            interims.append(int(status))
        answer = Answer(int(status), headers, interims=interims)
        assert not (answer.all("content-length") and answer.all("transfer-encoding")), "both Content-Length and Transfer-Encoding"
        return answer

    def part(self) -> bytes:
        """The next chunk of a body in chunks; empty after the last."""
        size = int(self._line().split(b";")[0], 16)
        data = self._take(size)
        assert size == 0 or self._take(2) == b"\r\n"
        return data

    def answer(self, head_only: bool = False, until_close: bool = False) -> Answer:
        """The next response. `head_only`: it answers HEAD, so no body follows. `until_close`: a body may end with the connection."""
        answer = self.head()
        if head_only or answer.status in (101, 204, 304):
            return answer
        if answer.all("transfer-encoding"):
            parts = []
            while part := self.part():
                parts.append(part)
            answer.body, answer.trailers = b"".join(parts), self._fields()
        elif until_close and not answer.all("content-length"):
            try:
                while True:
                    self._more()
            except Closed:
                answer.body = self.taken()
        else:
            answer.body = self._take(int(answer.one("content-length")))
        return answer

    def is_closed(self, within: float = 5) -> bool:
        """Whether the server closes the connection in that time, sending nothing more."""
        self.socket.settimeout(within)
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False


def exchange(port: int, data: bytes, head_only: bool = False) -> Answer:
    with Connection(port) as connection:
        connection.send(data)
        return connection.answer(head_only)
