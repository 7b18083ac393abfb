"""Real applications behind the gateway: nginx, a Python application with WebSockets, events, large bodies both ways."""

import hashlib
import json
import time

import pytest
from websockets.frames import Opcode

from beside import Beside
from framed import DataFrame, Framed
from others import Asgi, Sink, nginx_with_files
from sites import HOST
from waiting import eventually
from web_socket import web_socket

GIB = 1 << 30


@pytest.fixture(scope="module")
def applications(tmp_path_factory):
    made = {"nginx": nginx_with_files(tmp_path_factory.mktemp("others") / "nginx"), "asgi": Asgi(tmp_path_factory.mktemp("asgi")), "sink": Sink(tmp_path_factory.mktemp("sink"))}
    try:
        for each in made.values():
            each.start()
        yield made
    finally:
        for each in made.values():
            each.close()


@pytest.fixture(scope="module")
def _module_server(make_module_sites, applications):
    asgi = applications["asgi"].url
    return make_module_sites([
        {"path": "/", "upstream": asgi, "max_body": "64MiB"},
        {"path": "/files", "upstream": applications["nginx"].url, "access": "public", "strip_prefix": True},
        {"path": "/open", "upstream": asgi, "access": "public", "strip_prefix": True},
        {"path": "/sink", "upstream": applications["sink"].url, "access": "public", "max_body": "unlimited"},
    ]).start()


@pytest.fixture
def server(_module_server, request):
    request.node.servers = [_module_server]
    return _module_server


# nginx behind it

def test_files_of_nginx(server, protocol):
    """Lengths, ranges, validators, redirects and errors of an application arrive as it sent them."""
    with server.client(protocol) as client:
        whole = client.get("/files/mebibyte")
        assert whole.status == 200 and whole.body == bytes(range(256)) * 4096 and whole.one("content-length") == str(1 << 20)
        part = client.get("/files/mebibyte", ("range", "bytes=256-511"))
        assert part.status == 206 and part.body == bytes(range(256)) and part.one("content-range") == "bytes 256-511/1048576"
        unchanged = client.get("/files/mebibyte", ("if-none-match", whole.one("etag")))
        assert unchanged.status == 304 and unchanged.body == b"" and unchanged.one("etag") == whole.one("etag")
        if protocol != "h2":
            head = client.ask("HEAD", "/files/mebibyte")
            assert head.status == 200 and head.one("content-length") == str(1 << 20)
        missing = client.get("/files/status/404")
        assert missing.status == 404 and missing.body == b"not here\n"
        assert client.get("/files/nothing").status == 404
        moved = client.get("/files/redirect")
        assert moved.status == 302 and "/small" in moved.one("location")
        assert client.get("/files/small").body == b"hello from nginx\n"
        user, host, address, scheme = client.get("/files/header").body.decode().strip().split("|")
        assert (user, host, address, scheme) == ("", client.authority, "127.0.0.1", "http" if protocol == "http" else "https")


def test_head_over_http_2(server):
    with server.client("h2") as client:
        head = client.ask("HEAD", "/files/mebibyte")
        assert head.status == 200 and head.one("content-length") == str(1 << 20) and head.body == b""


# The Python application

def test_the_application_sees_the_request(server, protocol):
    user = server.user()
    with server.client(protocol) as client:
        answer = client.ask("POST", "/a%2Fb/%C3%BC?q=%20x&q=2", user.bearer, ("cookie", "a=1"), ("x-many", "one"), ("x-many", "two"), body=b"x" * 100_000)
        assert answer.status == 200 and answer.all("set-cookie") == ["mine=1; Path=/", "other=2; Path=/"]
        told = json.loads(answer.body)
    assert (told["method"], told["path"].upper(), told["query"], told["length"]) == ("POST", "/A%2FB/%C3%BC", "q=%20x&q=2", 100_000)
    headers = told["headers"]
    assert ["x-gatehouse-user", user.id] in headers and ["cookie", "a=1"] in headers and [name for name, _ in headers].count("host") == 1
    assert ",".join(value.replace(" ", "") for name, value in headers if name == "x-many") == "one,two"
    assert any(name == "x-request-id" for name, _ in headers)


def test_bodies_in_both_directions_arrive_whole(server, protocol):
    body = hashlib.sha256(b"seed").digest() * 100_000
    with server.client(protocol, timeout=30) as client:
        stored = json.loads(client.ask("POST", "/open/upload", body=body).body)
        assert stored == {"length": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        large = client.get("/open/large")
        assert len(large.body) == 16 << 20 and hashlib.sha256(large.body).digest() == hashlib.sha256(b"".join(bytes([n]) * 65536 for n in range(256))).digest()


def test_a_body_limit_holds_for_every_framing(server, protocol):
    """CHECKLIST 34: with a length and without one; the connection or stream ends, and the application sees no whole request."""
    user = server.user()
    declared = ("content-length", str(11 << 20))
    with server.client(protocol) as client:
        if protocol == "h2":
            answer = client.framed.response(client.framed.request(client.fields("POST", "/open/upload", declared), end=False), until_end=False)
        else:
            client.connection.send(client.head("POST", "/open/upload", declared))
            answer = client.connection.answer()
        assert answer.status == 413
    with server.client(protocol) as client:
        if protocol == "h2":
            stream = client.framed.request(client.fields("POST", "/open/upload"), end=False)
            client.framed.send_body(stream, b"x" * (11 << 20), end=False)
            assert client.framed.response(stream, until_end=False).status == 413
        else:
            client.connection.send(client.head("POST", "/open/upload", ("transfer-encoding", "chunked")))
            try:
                for _ in range(11 * 16):
                    client.connection.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            except OSError:
                pass
            assert client.connection.answer().status == 413
    with server.client(protocol) as client:
        assert json.loads(client.ask("POST", "/upload", user.bearer, body=b"x" * (12 << 20)).body)["length"] == 12 << 20


# Events

def test_events_arrive_one_by_one(server, protocol):
    """Nothing waits for the next one: each is here within half the time to its successor; a client that leaves ends the source."""
    with server.client(protocol) as client:
        times = []
        if protocol == "h2":
            client.framed.request(client.fields("GET", "/open/events?4", ("accept", "text/event-stream")))
            while len(times) < 4:
                frame = client.framed.frame()
                if isinstance(frame, DataFrame) and frame.data:
                    times.append(time.monotonic())
        else:
            client.connection.send(client.head("GET", "/open/events?4", ("accept", "text/event-stream"), ("accept-encoding", "gzip")))
            answer = client.connection.head()
            assert answer.one("content-type").startswith("text/event-stream") and answer.all("content-encoding") == []
            while len(times) < 4:
                assert client.connection.part().startswith(b"id: %d\n" % len(times))
                times.append(time.monotonic())
    gaps = [after - before for before, after in zip(times, times[1:])]
    assert all(0.1 < gap < 0.4 for gap in gaps), gaps


# WebSockets

def test_a_websocket(server, protocol):
    """Also over HTTP/2 (RFC 8441), beside other streams of the connection."""
    user = server.user()
    with web_socket(server, protocol, "/ws", user.bearer, ("sec-websocket-protocol", "other, echo")) as link:
        assert link.agreed and link.answer.one("sec-websocket-protocol") == "echo"
        assert json.loads(link.recv()[1]) == {"user": user.id, "path": "/ws"}
        if protocol == "h2":
            assert link.client.get("/files/small").status == 200
        for opcode, message in ((Opcode.TEXT, b"hello"), (Opcode.BINARY, b"\x00\xff" * 100_000), (Opcode.TEXT, b""), (Opcode.TEXT, "ünï".encode() * 1000)):
            link.send(opcode, message)
            assert link.recv() == (opcode, message)
        link.send(Opcode.PING, b"there?")
        assert link.recv() == (Opcode.PONG, b"there?")
        link.send(Opcode.TEXT, b"close")
        assert link.recv() == (Opcode.CLOSE, (4001).to_bytes(2, "big") + b"asked for")


@pytest.mark.parametrize("origin", ["https://evil.test", "null", None, "https://app.test.evil.test", "http://app.test:1"])
def test_a_websocket_with_a_cookie_needs_this_origin(server, protocol, origin):
    """CHECKLIST 15: a page of another site opens no socket with the user's cookie."""
    user = server.user()
    foreign = [("origin", origin)] if origin else []
    with web_socket(server, protocol, "/ws", user.cookie, *foreign) as link:
        assert not link.agreed and link.answer.status in (401, 403)
    with web_socket(server, protocol, "/ws", user.cookie, ("origin", server.origin(protocol))) as link:
        assert json.loads(link.recv()[1])["user"] == user.id
    with web_socket(server, protocol, "/ws", user.bearer, *foreign) as link:
        assert json.loads(link.recv()[1])["user"] == user.id


def test_a_websocket_is_refused_where_nobody_is_signed_in(server, protocol):
    with web_socket(server, protocol, "/ws", ("origin", server.origin(protocol))) as link:
        assert not link.agreed and link.answer.status == 401


def test_websockets_come_and_go(server, protocol):
    """A hundred, ended in every way: nothing of them stays."""
    user = server.user()
    before = server.descriptors()
    for number in range(100):
        with web_socket(server, protocol, "/ws", user.bearer) as link:
            assert json.loads(link.recv()[1])["user"] == user.id
            if number % 4 == 1:
                link.send(Opcode.CLOSE, (1000).to_bytes(2, "big"))
                assert link.recv()[0] == Opcode.CLOSE
            if number % 4 == 2:
                link.send(Opcode.BINARY, bytes(100_000))
    eventually(lambda: server.descriptors() <= before + 12)


# Large uploads

class Watched(Beside):
    """The server's largest resident set while something goes on."""

    def __init__(self, server):
        super().__init__(every=0.02)
        self.server, self.before, self.most = server, server.resident_mb(), 0.0

    def once(self):
        self.most = max(self.most, self.server.resident_mb())


@pytest.mark.parametrize(("secure", "size"), [("http", 5 * GIB), ("https", GIB // 2)])
def test_an_upload_of_any_size_in_flat_memory(server, secure, size, record_property):
    """5 GB through it: as fast as the application reads, never more than a few buffers of it here."""
    block, begun = bytes(1 << 20), time.monotonic()
    with Watched(server) as watched, server.client(secure, timeout=60) as client:
        client.connection.send(client.head("PUT", "/sink/x", ("content-length", str(size))))
        for _ in range(size >> 20):
            client.connection.send(block)
        answer = client.connection.answer()
        assert (answer.status, answer.body) == (200, str(size).encode())
    record_property("mebibytes_per_second", round((size >> 20) / (time.monotonic() - begun)))
    assert watched.most - watched.before < 16, f"grew from {watched.before} to {watched.most} MB"


def test_an_upload_over_http_2_in_flat_memory(server):
    size = 64 << 20
    with Watched(server) as watched, Framed(server.https_port, name=HOST, timeout=60) as connection:
        fields = [(":method", "PUT"), (":scheme", "https"), (":authority", server.authority("h2")), (":path", "/sink/x"), ("content-length", str(size))]
        stream = connection.request(fields, end=False)
        connection.send_body(stream, bytes(size), within=60)
        answer = connection.response(stream)
        assert (answer.status, answer.body) == (200, str(size).encode())
    assert watched.most - watched.before < 16, f"grew from {watched.before} to {watched.most} MB"
