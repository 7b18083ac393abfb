"""WebSockets by hand, on a connection that was upgraded or on a stream of HTTP/2. One thread: TLS of Python does not stand two."""

from __future__ import annotations

import base64
import hashlib
import os

from websockets.frames import Frame, Opcode

from framed import DataFrame, RstStreamFrame, SettingsFrame
from raw import Closed
from sites import SiteGatehouse
from waiting import eventually


class WebSocket:
    """`answer` is the response; with it, messages can be sent and received where it agreed."""

    buffer = b""

    def close(self) -> None:
        raise NotImplementedError

    def put(self, data: bytes) -> None:
        raise NotImplementedError

    def more(self) -> None:
        raise NotImplementedError

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, opcode: Opcode, data: bytes) -> None:
        self.put(Frame(opcode, data).serialize(mask=True))

    def _take(self, count: int) -> bytes:
        while len(self.buffer) < count:
            self.more()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def recv(self) -> tuple[int, bytes]:
        """One whole message, however it was cut into frames."""
        message, first = b"", None
        while True:
            head = self._take(2)
            length = head[1] & 0x7F
            length = int.from_bytes(self._take(2 if length == 126 else 8), "big") if length > 125 else length
            message += self._take(length)
            first = head[0] & 0x0F if first is None else first
            if head[0] & 0x80:
                return first, message


class UpgradedSocket(WebSocket):
    """RFC 6455, on a connection of its own."""

    def __init__(self, server: SiteGatehouse, protocol: str, path: str, *fields: tuple[str, str]):
        self.client = server.client(protocol)
        key = base64.b64encode(os.urandom(16)).decode()
        upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", key)]
        self.client.connection.send(self.client.head("GET", path, *upgrade, *fields))
        self.answer = self.client.connection.answer()
        self.agreed = self.answer.status == 101
        if self.agreed:
            proof = base64.b64encode(hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()).decode()
            assert self.answer.one("sec-websocket-accept") == proof and self.answer.one("upgrade").lower() == "websocket"
            assert self.answer.one("connection").lower() == "upgrade" and not self.answer.all("content-length") + self.answer.all("transfer-encoding")

    def close(self) -> None:
        self.client.socket.close()

    def put(self, data: bytes) -> None:
        self.client.connection.send(data)

    def more(self) -> None:
        connection = self.client.connection
        if not connection.buffered:
            connection.wait()
        self.buffer += connection.taken()


class StreamSocket(WebSocket):
    """RFC 8441, on a stream of a connection that may have others."""

    def __init__(self, server: SiteGatehouse, protocol: str, path: str, *fields: tuple[str, str]):
        self.client = server.client("h2")
        self.framed = self.client.framed
        eventually(self._is_settled)
        assert self.framed.server_settings.get(SettingsFrame.ENABLE_CONNECT_PROTOCOL) == 1
        head = [(":method", "CONNECT"), (":protocol", "websocket"), *self.client.fields("GET", path)[1:], ("sec-websocket-version", "13"), *fields]
        self.stream = self.framed.request(head, end=False)
        self.answer = self.framed.response(self.stream, until_end=False)
        self.agreed = self.answer.status == 200
        if self.agreed:
            assert not {"connection", "upgrade", "sec-websocket-accept", "transfer-encoding"} & {name for name, _ in self.answer.headers}

    def _is_settled(self) -> bool:
        return bool(self.framed.server_settings) or self.framed.settle()

    def close(self) -> None:
        self.framed.socket.close()

    def put(self, data: bytes) -> None:
        self.framed.send_body(self.stream, data, end=False)

    def more(self) -> None:
        frame = self.framed.frame(10)
        if isinstance(frame, RstStreamFrame) and frame.stream_id == self.stream:
            raise Closed(frame.error_code)
        if isinstance(frame, DataFrame) and frame.stream_id == self.stream:
            self.buffer += frame.data
            self.framed.consumed(self.stream, len(frame.data), "END_STREAM" in frame.flags)


def web_socket(server: SiteGatehouse, protocol: str, path: str, *fields: tuple[str, str]) -> WebSocket:
    return (StreamSocket if protocol == "h2" else UpgradedSocket)(server, protocol, path, *fields)
