"""An HTTP/2 client of frames: it keeps to the rules where the test does not break them on purpose."""

from __future__ import annotations

import socket
import time

from hpack import Decoder, Encoder
from hyperframe.frame import (
    ContinuationFrame, DataFrame, Frame, GoAwayFrame, HeadersFrame, PingFrame, RstStreamFrame, SettingsFrame, WindowUpdateFrame)

from raw import Answer
from secure import SecureConnection, context

REQUEST = [(":method", "GET"), (":scheme", "https"), (":authority", "gate.test"), (":path", "/health")]


class Ended(Exception):
    """The server has ended the connection: with this error code, or None without a GOAWAY."""

    def __init__(self, code: int | None):
        super().__init__(code)
        self.code = code


class Reset(Exception):
    """The server has reset the stream: the error code, and what had come."""

    def __init__(self, code: int, answer: Answer):
        super().__init__(code, answer)
        self.code, self.answer = code, answer


class Framed:
    def __init__(self, port: int, settings: dict | None = None, timeout: float = 10, name: str = "gate.test"):
        self.socket = SecureConnection(port, name, tls=context(alpn=("h2",)), timeout=timeout).socket
        assert self.socket.selected_alpn_protocol() == "h2"
        self.encoder, self.decoder = Encoder(), Decoder()
        self.timeout = timeout
        self._buffer = b""
        self._stream = -1
        self._code: int | None = None
        self.server_settings: dict = {}
        # What may still be sent of bodies: on the connection under 0, and on each stream, besides what SETTINGS give it.
        self._windows: dict[int, int] = {0: 65_535}
        self._held: list[Frame] = []
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        self.send(SettingsFrame(0, settings=settings or {}))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    # Sending

    def send(self, *frames: Frame) -> None:
        self.send_bytes(b"".join(frame.serialize() for frame in frames))

    def send_bytes(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except TimeoutError:
            raise
        except OSError:
            self._drained()
            raise Ended(self._code) from None

    def next_stream(self) -> int:
        self._stream += 2
        return self._stream

    def headers(self, fields=REQUEST, end: bool = True, stream: int | None = None) -> HeadersFrame:
        """A request's HEADERS, of the next stream, encoded but not sent."""
        frame = HeadersFrame(stream or self.next_stream(), data=self.encoder.encode(fields))
        frame.flags.add("END_HEADERS")
        if end:
            frame.flags.add("END_STREAM")
        return frame

    def request(self, fields=REQUEST, end: bool = True) -> int:
        frame = self.headers(fields, end)
        self.send(frame)
        return frame.stream_id

    def send_body(self, stream: int, data: bytes, end: bool = True, trailers=None, within: float = 10) -> None:
        """As the server opens its windows. What comes meanwhile is kept for `frame`; a reset or an ended response ends it early."""
        deadline, data = time.monotonic() + within, memoryview(data)
        while data:
            initial = self.server_settings.get(SettingsFrame.INITIAL_WINDOW_SIZE, 65_535)
            count = min(16_384, len(data), self._windows[0], initial + self._windows.get(stream, 0))
            if count <= 0:
                held = self._next(max(0.001, deadline - time.monotonic()), every=True)
                if not isinstance(held, (WindowUpdateFrame, SettingsFrame)):
                    self._held.append(held)
                if held.stream_id == stream and (isinstance(held, RstStreamFrame) or "END_STREAM" in held.flags):
                    return
                continue
            self._windows[0] -= count
            self._windows[stream] = self._windows.get(stream, 0) - count
            self.send(DataFrame(stream, data=bytes(data[:count])))
            data = data[count:]
        if trailers:
            frame = HeadersFrame(stream, data=self.encoder.encode(trailers), flags=["END_HEADERS", "END_STREAM"])
            self.send(frame)
        elif end:
            self.send(DataFrame(stream, flags=["END_STREAM"]))

    # Receiving

    def frame(self, within: float | None = None) -> Frame:
        """The next one; SETTINGS and PING are answered on the way."""
        return self._held.pop(0) if self._held else self._next(within)

    def settle(self) -> bool:
        """Waits for one frame, and keeps it; whether the server's settings have come by then."""
        held = self._next(every=True)
        if not isinstance(held, (WindowUpdateFrame, SettingsFrame)):
            self._held.append(held)
        return bool(self.server_settings)

    def _next(self, within: float | None = None, every: bool = False) -> Frame:
        """From the network. `every`: with those that open windows."""
        deadline = time.monotonic() + (within or self.timeout)
        while True:
            if len(self._buffer) >= 9:
                head, length = Frame.parse_frame_header(memoryview(self._buffer[:9]))
                if len(self._buffer) >= 9 + length:
                    head.parse_body(memoryview(self._buffer[9 : 9 + length]))
                    self._buffer = self._buffer[9 + length :]
                    if self._noted(head) or every:
                        return head
                    continue
            self.socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                raise
            except OSError:
                data = b""
            finally:
                self.socket.settimeout(self.timeout)
            if not data:
                raise Ended(self._code)
            self._buffer += data

    def _noted(self, frame: Frame) -> bool:
        """Whether the test is to see it."""
        if isinstance(frame, GoAwayFrame):
            self._code = frame.error_code
        if isinstance(frame, SettingsFrame) and "ACK" not in frame.flags:
            self.server_settings |= frame.settings
            self.send(SettingsFrame(0, flags=["ACK"]))
        if isinstance(frame, WindowUpdateFrame):
            self._windows[frame.stream_id] = self._windows.get(frame.stream_id, 0) + frame.window_increment
        if isinstance(frame, PingFrame) and "ACK" not in frame.flags:
            self.send(PingFrame(0, opaque_data=frame.opaque_data, flags=["ACK"]))
        return not isinstance(frame, (SettingsFrame, WindowUpdateFrame)) and not (isinstance(frame, PingFrame) and "ACK" not in frame.flags)

    def _drained(self) -> None:
        """What had been sent before the end."""
        try:
            while True:
                self.frame(1)
        except (Ended, OSError):
            pass

    def answer(self, stream: int, within: float | None = None) -> tuple[int, bytes]:
        """Status and body of a stream's answer; a reset is `(-code, b"")`."""
        status, body = 0, b""
        while True:
            frame = self.frame(within)
            if isinstance(frame, HeadersFrame):
                fields = dict(self.decoder.decode(frame.data))
                if frame.stream_id == stream and ":status" in fields:
                    status = int(fields[":status"])
            if frame.stream_id != stream:
                continue
            if isinstance(frame, DataFrame):
                body += frame.data
                self.send(WindowUpdateFrame(0, window_increment=max(1, len(frame.data))))
            if isinstance(frame, RstStreamFrame):
                return (status or -frame.error_code), body
            if "END_STREAM" in frame.flags:
                return status, body

    def response(self, stream: int, within: float | None = None, until_end: bool = True) -> Answer:
        """A stream's whole answer, or its head; a reset before its end is an error (`Reset`)."""
        answer, parts = Answer(0, []), []
        while True:
            frame = self.frame(within)
            if isinstance(frame, HeadersFrame):
                fields = self.decoder.decode(frame.data)
                if frame.stream_id == stream:
                    self._take_fields(answer, fields)
            if frame.stream_id != stream:
                continue
            if isinstance(frame, DataFrame):
                parts.append(frame.data)
                self.consumed(stream, len(frame.data), "END_STREAM" in frame.flags)
            if isinstance(frame, RstStreamFrame):
                raise Reset(frame.error_code, answer)
            if "END_STREAM" in frame.flags or (answer.status and not until_end):
                answer.body = b"".join(parts)
                return answer

    def _take_fields(self, answer: Answer, fields) -> None:
        pseudo = [(name, value) for name, value in fields if name.startswith(":")]
        if not pseudo:
            answer.trailers = list(fields)
        elif (status := int(dict(pseudo)[":status"])) < 200:
            answer.interims.append(status)
        else:
            assert [name for name, _ in pseudo] == [":status"] and not answer.status, fields
            answer.status, answer.headers = status, [each for each in fields if not each[0].startswith(":")]
            assert all(name == name.lower() for name, _ in answer.headers), answer.headers

    def consumed(self, stream: int, count: int, is_last: bool = False) -> None:
        """Opens the windows again for every frame, by what was in it: of all ways the one that makes frames smallest."""
        if count:
            self.send(*[WindowUpdateFrame(each, window_increment=count) for each in ([0] if is_last else [0, stream])])

    def ended(self, within: float = 10) -> int | None:
        """Reads until the server ends the connection: the code of its GOAWAY."""
        deadline = time.monotonic() + within
        while True:
            try:
                self.frame(max(0.001, deadline - time.monotonic()))
            except Ended as end:
                return end.code
            except (TimeoutError, socket.timeout):
                raise AssertionError(f"still open after {within} s") from None


__all__ = ["ContinuationFrame", "DataFrame", "Ended", "Framed", "HeadersFrame", "PingFrame", "REQUEST", "Reset", "RstStreamFrame", "SettingsFrame",
           "WindowUpdateFrame"]
