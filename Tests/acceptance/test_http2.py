"""HTTP/2 by a client that breaks its rules: floods, bombs and stalls end that connection, and nobody else notices."""

import time

import pytest

from beside import Workers
from framed import (
    REQUEST, ContinuationFrame, DataFrame, Ended, Framed, GoAwayFrame, HeadersFrame, PingFrame, RstStreamFrame, SettingsFrame, WindowUpdateFrame)
from secure import SecureConnection, context, get
from waiting import eventually

PROTOCOL_ERROR, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, COMPRESSION_ERROR, ENHANCE_YOUR_CALM = 1, 3, 6, 9, 11
SHORT = {"http": {"header_timeout": "1s", "body_timeout": "1s", "write_timeout": "1s", "idle_timeout": "3s"}}


@pytest.fixture(scope="module")
def _module_server(make_module_secure):
    return make_module_secure(SHORT).start()


@pytest.fixture
def https(_module_server, request):
    request.node.servers = [_module_server]
    return _module_server


class Honest(Workers):
    """A client that asks on, over HTTP/2 and fresh connections alike, while another one attacks. No answer may be late or missing."""

    def __init__(self, server):
        super().__init__(self._run)
        self.server, self.waits, self.errors = server, [], []

    def _run(self):
        while not (self.waits and self.stopping.wait(0.02)):
            begun = time.monotonic()
            try:
                with SecureConnection(self.server.https_port, tls=context(self.server.ca_file)) as connection:
                    connection.send(get())
                    assert connection.answer().status == 200
            except Exception as error:  # noqa: BLE001: told at the end
                self.errors.append(error)
            self.waits.append(time.monotonic() - begun)

    def __enter__(self):
        self._megabytes = self.server.resident_mb()
        return super().__enter__()

    def __exit__(self, kind, *_):
        super().__exit__()
        if kind:
            return
        assert not self.errors and self.waits and self.server.is_running()
        assert sorted(self.waits)[int(len(self.waits) * 0.99)] < 1, f"{max(self.waits):.2f} s"
        assert self.server.resident_mb() - self._megabytes < 40, f"{self._megabytes} MB, then {self.server.resident_mb()} MB"


def flood(connection: Framed, frames, most: int) -> int | None:
    """Sends batch after batch until the server ends the connection: the code of its GOAWAY. `frames` makes a batch."""
    sent = 0
    while sent < most:
        batch = frames()
        sent += len(batch)
        try:
            connection.send(*batch)
        except Ended as end:
            return end.code
    return connection.ended()


def test_requests_share_a_connection(https):
    with Framed(https.https_port) as connection:
        streams = [connection.request() for _ in range(20)]
        for stream in streams:
            status, body = connection.answer(stream) if stream == streams[-1] else (200, b"")
        assert status == 200 and b'"status":"ok"' in body
        # SETTINGS_MAX_CONCURRENT_STREAMS and SETTINGS_MAX_HEADER_LIST_SIZE are said.
        assert 1 <= connection.server_settings[SettingsFrame.MAX_CONCURRENT_STREAMS] <= 1000
        assert connection.server_settings[SettingsFrame.MAX_HEADER_LIST_SIZE] <= 65_536


@pytest.mark.parametrize("closing", [True, False])
def test_rapid_reset(https, closing):
    """CHECKLIST 34 [CVE-2023-44487]: requests taken back at once, fifty thousand of them at most."""

    def batch():
        frames = []
        for _ in range(100):
            frame = connection.headers(REQUEST, end=closing)
            frames += [frame, RstStreamFrame(frame.stream_id, error_code=8)]
        return frames

    with Honest(https), Framed(https.https_port) as connection:
        assert flood(connection, batch, 100_000) == ENHANCE_YOUR_CALM


def test_made_you_reset(https):
    """CVE-2025-8671: streams that the client makes the server reset, by a window update of zero."""

    def batch():
        frames = []
        for _ in range(100):
            frame = connection.headers(REQUEST, end=False)
            update = WindowUpdateFrame(frame.stream_id, window_increment=1)
            frames += [frame, Raw(update.serialize()[:9] + b"\x00\x00\x00\x00")]
        return frames

    with Honest(https), Framed(https.https_port) as connection:
        assert flood(connection, batch, 100_000) in (ENHANCE_YOUR_CALM, PROTOCOL_ERROR)


class Raw:
    """Bytes that stand for a frame."""

    def __init__(self, data: bytes):
        self._data = data

    def serialize(self) -> bytes:
        return self._data


@pytest.mark.parametrize("size", [0, 1, 16_000])
def test_continuation_flood(https, size):
    """CVE-2024-27316: a header block without an end."""
    with Honest(https), Framed(https.https_port) as connection:
        frame = connection.headers()
        frame.flags.discard("END_HEADERS")
        connection.send(frame)
        # A literal field without indexing, of a length that never comes to an end: well formed as far as it goes.
        code = flood(connection, lambda: [ContinuationFrame(frame.stream_id, data=b"\x00\x01a\x01b"[:5] * (size // 5)) for _ in range(50)], 20_000)
        assert code in (ENHANCE_YOUR_CALM, PROTOCOL_ERROR, COMPRESSION_ERROR)


def test_header_bomb(https):
    """CVE-2016-6581: a field of 4 kB put into the table once, and named four thousand times: 16 MB out of 4 kB."""
    with Honest(https), Framed(https.https_port) as connection:
        connection.answer(connection.request([*REQUEST, ("x-bomb", "b" * 3900)]))
        # 62 is the newest entry of the dynamic table (RFC 7541 §2.3.3).
        block = connection.encoder.encode(REQUEST) + bytes([0x80 | 62]) * 4000
        for _ in range(20):
            frame = HeadersFrame(connection.next_stream(), data=block, flags=["END_HEADERS", "END_STREAM"])
            try:
                connection.send(frame)
                status, _ = connection.answer(frame.stream_id)
            except Ended as end:
                assert end.code in (ENHANCE_YOUR_CALM, PROTOCOL_ERROR, COMPRESSION_ERROR)
                break
            assert status == 431 or status < 0, status


@pytest.mark.parametrize("fields", [[("x" * 10, "y" * 60_000)], [(f"x-{n}", "y") for n in range(1000)]])
def test_headers_too_large(https, fields):
    """CHECKLIST 34: the limits of a head are those of HTTP/1.1, with 431 or the stream's end."""
    with Framed(https.https_port) as connection:
        block = connection.encoder.encode([*REQUEST, *fields])
        stream = connection.next_stream()
        parts = [block[at : at + 16_000] for at in range(0, len(block), 16_000)]
        first = HeadersFrame(stream, data=parts[0], flags=["END_STREAM"])
        rest = [ContinuationFrame(stream, data=part) for part in parts[1:]]
        (rest or [first])[-1].flags.add("END_HEADERS")
        try:
            connection.send(first, *rest)
            status, _ = connection.answer(stream)
            assert status == 431 or status < 0, status
        except Ended as end:
            assert end.code is not None
    assert https.is_running()


@pytest.mark.parametrize("kind", ["ping", "settings", "empty data", "priority", "window"])
def test_floods_of_small_frames(https, kind):
    """CVE-2019-9512, 9515, 9518: what costs an answer or nothing at all, two hundred thousand times. It ends, or costs no one."""
    with Honest(https), Framed(https.https_port) as connection:
        stream = connection.request(end=False) if kind in ("empty data", "window") else 0
        made = {
            "ping": lambda: PingFrame(0, opaque_data=b"12345678"),
            "settings": lambda: SettingsFrame(0, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 65_535}),
            "empty data": lambda: DataFrame(stream, data=b""),
            "priority": lambda: Raw(b"\x00\x00\x05\x02\x00\x00\x00\x00\x03\x00\x00\x00\x00\x10"),
            "window": lambda: WindowUpdateFrame(stream, window_increment=1),
        }[kind]
        batch = [Raw(made().serialize() * 500)]
        try:
            for _ in range(400):
                connection.send(*batch)
                # What comes back is not read: the server must not store it without a bound.
        except (Ended, TimeoutError):
            pass


def test_stalled_streams(https):
    """A client that asks for everything and takes nothing (CVE-2019-9511): its streams end, and their memory with them."""
    with Honest(https):
        connections = [Framed(https.https_port, {SettingsFrame.INITIAL_WINDOW_SIZE: 0}) for _ in range(20)]
        for connection in connections:
            most = 100
            connection.send(*[connection.headers() for _ in range(most)])
        for connection in connections:
            connection.ended(15)
            connection.socket.close()


def test_too_many_streams_are_refused(https):
    with Framed(https.https_port) as connection:
        connection.answer(connection.request())
        most = connection.server_settings[SettingsFrame.MAX_CONCURRENT_STREAMS]
        post = [(":method", "POST"), *REQUEST[1:3], (":path", "/api/v1/auth/login"), ("content-type", "application/json")]
        try:
            streams = [connection.request(post, end=False) for _ in range(most + 10)]
            refused = [connection.frame() for _ in range(10)]
            assert {type(frame) for frame in refused} == {RstStreamFrame} and {frame.error_code for frame in refused} <= {7, PROTOCOL_ERROR}
            assert {frame.stream_id for frame in refused} == set(streams[most:])
        except Ended as end:
            assert end.code in (PROTOCOL_ERROR, ENHANCE_YOUR_CALM)


@pytest.mark.parametrize("begun", ["nothing", "half a preface", "half a head", "half a body", "idle"])
def test_slow_clients_are_ended(https, begun):
    """CHECKLIST 34: the times of a head, a body and an idle connection hold here too."""
    with Framed(https.https_port) as connection:
        if begun == "half a head":
            frame = connection.headers()
            frame.flags.discard("END_HEADERS")
            connection.send(frame)
        elif begun == "half a body":
            post = [(":method", "POST"), *REQUEST[1:3], (":path", "/api/v1/auth/login"), ("content-type", "application/json"), ("content-length", "10")]
            stream = connection.request(post, end=False)
            connection.send(DataFrame(stream, data=b"{"))
            status, _ = connection.answer(stream)
            assert status == 408 or status < 0
        elif begun == "idle":
            assert connection.answer(connection.request())[0] == 200
        elif begun != "nothing":
            half = SecureConnection(https.https_port, tls=context(alpn=("h2",)))
            half.send(b"PRI * HTTP/2.0\r\n")
            half.socket.settimeout(8)
            while half.socket.recv(65536):
                pass
        connection.ended(10)


SMUGGLED = [
    [*REQUEST, ("x-a", "b\r\nhost: evil")], [*REQUEST, ("x-a", "b\x00c")], [*REQUEST, ("x-a", "b\nc")], [*REQUEST, ("X-Upper", "y")],
    [*REQUEST, ("connection", "close")], [*REQUEST, ("transfer-encoding", "chunked")], [*REQUEST, ("te", "gzip")],
    [*REQUEST[:3], (":path", "")], [*REQUEST[:3]], [*REQUEST, (":path", "/again")], [*REQUEST, (":unknown", "x")],
    [("x-first", "y"), *REQUEST], [*REQUEST[:3], (":path", "/a b")], [*REQUEST[:3], (":path", "/health HTTP/1.1\r\nx: y")],
    [(":method", "GET\r\n"), *REQUEST[1:]], [*REQUEST, ("x y", "z")], [*REQUEST, ("", "z")], [*REQUEST, ("host", "other.test")],
    [(":method", "GET"), (":scheme", "https"), (":authority", "a\r\nb"), (":path", "/")],
]


@pytest.mark.parametrize("fields", SMUGGLED, ids=[repr(fields[-1])[:40] for fields in SMUGGLED])
def test_malformed_requests_are_refused(https, fields):
    """CHECKLIST 33 [RFC 9113 §8.2, 8.3]: the stream is reset, or answered 400; never run."""
    with Framed(https.https_port) as connection:
        try:
            status, _ = connection.answer(connection.request(fields))
            assert status == 400 or status < 0, status
        except Ended as end:
            assert end.code in (PROTOCOL_ERROR, COMPRESSION_ERROR)


@pytest.mark.parametrize("length", ["5", "50", "x", "-1"])
def test_a_length_that_lies(https, length):
    """RFC 9113 §8.1.1: the data does not add up to content-length."""
    post = [(":method", "POST"), *REQUEST[1:3], (":path", "/api/v1/auth/login"), ("content-type", "application/json"), ("content-length", length)]
    with Framed(https.https_port) as connection:
        frame = connection.headers(post, end=False)
        try:
            connection.send(frame, DataFrame(frame.stream_id, data=b'{"email":1}', flags=["END_STREAM"]))
            status, _ = connection.answer(frame.stream_id)
            assert status == 400 or status < 0, status
        except Ended as end:
            assert end.code == PROTOCOL_ERROR


BROKEN = {
    "a frame too large": (b"\x00\x40\x01\x00\x00\x00\x00\x00\x01" + bytes(16_385), {FRAME_SIZE_ERROR}),
    "data on stream 0": (DataFrame(1, data=b"x").serialize()[:5] + bytes(4) + b"x", {PROTOCOL_ERROR}),
    "data on an idle stream": (DataFrame(99, data=b"x").serialize(), {PROTOCOL_ERROR, 5}),
    "an even stream": (b"\x00\x00\x01\x01\x05\x00\x00\x00\x02\x82", {PROTOCOL_ERROR}),
    "settings of 5 bytes": (b"\x00\x00\x05\x04\x00\x00\x00\x00\x00" + bytes(5), {FRAME_SIZE_ERROR}),
    "a ping of 7 bytes": (b"\x00\x00\x07\x06\x00\x00\x00\x00\x00" + bytes(7), {FRAME_SIZE_ERROR}),
    "a window too large": (WindowUpdateFrame(0, window_increment=2**31 - 1).serialize() * 2, {FLOW_CONTROL_ERROR}),
    "a broken header block": (b"\x00\x00\x02\x01\x05\x00\x00\x00\x01\xff\xff", {COMPRESSION_ERROR, PROTOCOL_ERROR}),
    "a continuation alone": (b"\x00\x00\x01\x09\x04\x00\x00\x00\x01\x82", {PROTOCOL_ERROR}),
    "a push": (b"\x00\x00\x05\x05\x04\x00\x00\x00\x01\x00\x00\x00\x02\x82", {PROTOCOL_ERROR}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_frames_end_the_connection(https, name):
    """RFC 9113 §4 to 6: with the error code that the rule names."""
    data, codes = BROKEN[name]
    with Framed(https.https_port) as connection:
        assert connection.answer(connection.request())[0] == 200
        connection.send_bytes(data.replace(b"\x00\x00\x00\x01", (3).to_bytes(4, "big")) if name in ("a broken header block",) else data)
        assert connection.ended() in codes


def test_a_preface_that_is_none(https):
    with SecureConnection(https.https_port, tls=context(alpn=("h2",))) as connection:
        connection.send(b"GET / HTTP/1.1\r\nHost: gate.test\r\n\r\n")
        while connection.socket.recv(65536):
            pass


def test_a_graceful_stop_says_goodbye(make_secure):
    """SIGTERM: GOAWAY without an error, and what is running is answered."""
    server = make_secure().start()
    with Framed(server.https_port) as connection:
        assert connection.answer(connection.request())[0] == 200
        server.process.terminate()
        assert connection.ended() == 0
        assert server.wait_exit(10) == 0


def test_nothing_is_left_behind(https):
    eventually(lambda: https.descriptors() < 60, 20)


def test_a_graceful_stop_finishes_what_runs(make_secure):
    """A registration is being hashed when SIGTERM comes: GOAWAY first, then its answer, then the end."""
    server = make_secure({"auth": {"bcrypt_cost": 14}}).start()
    body = b'{"email": "ann@example.com", "password": "correct horse battery"}'
    with Framed(server.https_port) as connection:
        assert connection.answer(connection.request())[0] == 200
        fields = [(":method", "POST"), *REQUEST[1:3], (":path", "/api/v1/auth/register"), ("content-type", "application/json")]
        stream = connection.request(fields, end=False)
        connection.send(DataFrame(stream, data=body, flags=["END_STREAM"]))
        time.sleep(0.1)
        server.process.terminate()
        assert connection.frame().type == GoAwayFrame.type, "told at once, not when the work is done"
        assert connection.answer(stream)[0] == 201
        assert connection.ended() == 0
        assert server.wait_exit(10) == 0
