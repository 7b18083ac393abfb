"""Applications that are slow, lie, die or never answer, and clients that are: what the other side sees of it."""

import contextlib
import json
import socket
import ssl
import threading
import time

import pytest

from framed import Ended, Reset, RstStreamFrame
from gate import free_port
from raw import Closed
from recording import Gone, Recorder, agreeing, response
from sites import SiteGatehouse
from waiting import eventually

NAVIGATION = (("accept", "text/html,*/*;q=0.8"), ("sec-fetch-mode", "navigate"))
# A connection that ends before its answer does: in TLS without a close_notify.
CUT = (Closed, Reset, Ended, ssl.SSLEOFError)
CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def _module_server(make_module_sites, application):
    site = {"upstream": application.url, "access": "public"}
    return make_module_sites([
        {**site, "path": "/", "response_timeout": "700ms", "idle_timeout": "1s", "connect_timeout": "500ms", "max_failures": 0},
        {**site, "path": "/patient", "response_timeout": "20s", "idle_timeout": "20s", "max_failures": 0, "max_body": "unlimited"},
        {**site, "path": "/nobody", "upstream": f"http://127.0.0.1:{free_port()}"},
    ], {"http": {"body_timeout": "2s", "write_timeout": "2s"}}).start()


@pytest.fixture
def server(_module_server, application, request):
    request.node.servers = [_module_server]
    application.answering = agreeing
    application.forget()
    yield _module_server
    application.answering = agreeing


def asked(server: SiteGatehouse, protocol: str, path: str, *fields, method: str = "GET", body=None):
    with server.client(protocol) as client:
        return client.ask(method, path, *fields, body=body)


def problem_of(answer, status: int, code: str) -> dict:
    assert answer.status == status, (answer.status, answer.body)
    body = json.loads(answer.body)
    assert answer.one("content-type") == "application/problem+json" and body["code"] == code and body["request_id"]
    return body


# What it answers

LIES = {
    "both lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    "a length that is none": b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok",
    "another coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok",
    "a bare LF": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "a bare CR": b"HTTP/1.1 200 OK\r\nX: y\rSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\nok",
    "NUL in a field": b"HTTP/1.1 200 OK\r\nX: y\0z\r\nContent-Length: 2\r\n\r\nok",
    "a folded field": b"HTTP/1.1 200 OK\r\nX: y\r\n z\r\nContent-Length: 2\r\n\r\nok",
    "a name with a space": b"HTTP/1.1 200 OK\r\nX Y: z\r\nContent-Length: 2\r\n\r\nok",
    "no status": b"HTTP/1.1 OK\r\nContent-Length: 2\r\n\r\nok",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok",
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "HTTP/2": b"\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "switching what nobody asked for": b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
    "a head without end": b"HTTP/1.1 200 OK\r\n" + b"X-Large: " + b"y" * 100_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_that_is_none_is_a_502(server, application, protocol, lie):
    """What cannot be read in one way only is not passed on, and that connection carries nothing more."""

    def lying(link):
        link.read_body()
        link.send(LIES[lie])
        raise Gone

    application.answering = lying
    problem_of(asked(server, protocol, "/x", method="POST", body=b"x"), 502, "upstream/unreachable")
    assert len(application.requests) == 1, "not idempotent: not tried again"
    application.answering = agreeing
    assert asked(server, protocol, "/x").body == b"ok"
    assert application.requests[-1].connection != application.requests[0].connection


def test_bytes_behind_an_answer_are_not_the_next_one(server, application, protocol):
    """An application that says more than it was asked for: whoever comes next gets an answer to their own request."""

    def chatty(link):
        link.read_body()
        target = link.request.target.encode()
        link.send(response(200, target) + response(200, b"poison", "Set-Cookie: stolen=1"))

    application.answering = chatty
    with server.client(protocol) as client:
        for number in range(20):
            answer = client.get(f"/x{number}")
            assert answer.status in (200, 502) and b"poison" not in answer.body and answer.all("set-cookie") == []
            assert answer.status != 200 or answer.body == f"/x{number}".encode()


@pytest.mark.parametrize("begun", [CHUNKED.encode() + b"400\r\nhalf", CHUNKED.encode() + b"4\r\nhalf\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf",
                                   CHUNKED.encode() + b"4\r\nhalf\r\nzz\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"])
@pytest.mark.parametrize("ending", ["reset", "closed"])
def test_death_in_the_middle_of_an_answer_is_seen(server, application, protocol, begun, ending):
    """The client can tell that what it has is not the whole: no last chunk, no END_STREAM."""

    def dying(link):
        link.send(begun)
        time.sleep(0.05)
        if ending == "reset":
            link.reset()
        raise Gone

    application.answering = dying
    with server.client(protocol) as client:
        try:
            status = client.get("/x").status
        except CUT:
            status = 0
    # Where it is known before the head is passed on, it is told; what has begun can only be cut.
    assert status in ((0, 502) if begun.endswith(b"zz\r\n") else (0,)), "taken for whole"
    application.answering = agreeing
    assert asked(server, protocol, "/x").body == b"ok"


def test_silence_is_a_504(server, application, protocol):
    """One that never answers: within its time and a little, and the application sees that nobody waits any longer."""
    left = threading.Event()

    def silent(link):
        link.read_body()
        with contextlib.suppress(Gone):
            link.more()
        left.set()
        raise Gone

    application.answering = silent
    begun = time.monotonic()
    problem_of(asked(server, protocol, "/x"), 504, "upstream/timeout")
    assert 0.5 < time.monotonic() - begun < 2.5
    assert left.wait(5)
    page = asked(server, protocol, "/x", *NAVIGATION)
    assert page.status == 504 and page.one("content-type").startswith("text/html") and b"<script" not in page.body


def test_a_body_that_stops_coming_is_cut(server, application, protocol):
    def stalling(link):
        link.send(CHUNKED.encode() + b"4\r\nhalf\r\n")
        with contextlib.suppress(Gone):
            link.more()
        raise Gone

    application.answering = stalling
    begun = time.monotonic()
    with server.client(protocol) as client, pytest.raises(CUT):
        client.get("/x")
    assert time.monotonic() - begun < 5


def test_nobody_there_is_a_502(server, protocol):
    problem = problem_of(asked(server, protocol, "/nobody/x"), 502, "upstream/unreachable")
    assert "127.0.0.1" not in json.dumps(problem), "nothing internal is told"
    page = asked(server, protocol, "/nobody/x", *NAVIGATION)
    assert page.status == 502 and page.one("content-type").startswith("text/html") and b"127.0.0.1" not in page.body


# What it is sent

def test_trailers_pass_both_ways(server, application, protocol):
    def trailing(link):
        link.read_body()
        link.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 42\r\n\r\n")

    application.answering = trailing
    with server.client(protocol) as client:
        answer = client.ask("POST", "/x", ("te", "trailers"), body=b"hello", trailers=[("x-sum", "23")])
    assert answer.body == b"ok" and answer.trailers == [("x-sum", "42")]
    (request,) = application.requests
    assert request.body == b"hello" and [(name.lower(), value) for name, value in request.trailers] == [("x-sum", "23")]


@pytest.mark.parametrize("secure", ["http", "https"])
def test_continue_is_the_applications_word(server, application, secure):
    """`100-continue`: the body is called for when the application calls for it, and a refusal comes without it."""

    def calling(link):
        if link.request.target == "/refused":
            link.send(response(413, b"no"))
            raise Gone
        if link.request.all("expect"):
            link.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        link.read_body()
        link.send(response(200, link.request.body))

    application.answering = calling
    with server.client(secure) as client:
        client.connection.send(client.head("POST", "/x", ("expect", "100-continue"), ("content-length", "5")))
        assert client.connection.interim() == 100
        client.connection.send(b"hello")
        assert client.connection.answer().body == b"hello"
    with server.client(secure) as client:
        client.connection.send(client.head("POST", "/refused", ("expect", "100-continue"), ("content-length", "5")))
        answer = client.connection.answer()
        assert answer.status == 413 and answer.interims in ([], [100])


def test_an_answer_before_the_body_has_come(server, application, protocol):
    """An application that refuses at once, while the client still sends: the refusal arrives, and the connection to the application is not used again."""

    def early(link):
        link.send(response(403, b"too much"))
        raise Gone

    application.answering = early
    with server.client(protocol) as client:
        if protocol == "h2":
            stream = client.framed.request(client.fields("POST", "/patient/x"), end=False)
            client.framed.send_body(stream, b"x" * 30_000, end=False)
            assert client.framed.response(stream, until_end=False).status == 403
        else:
            client.connection.send(client.head("POST", "/patient/x", ("content-length", "1000000")) + b"x" * 30_000)
            assert client.connection.answer().status == 403


def test_a_client_that_leaves_takes_its_request_along(server, application, protocol):
    """Whoever closes or resets while the application works: the application sees the end."""
    left = threading.Event()

    def working(link):
        link.read_body()
        with contextlib.suppress(Gone):
            link.more()
        left.set()
        raise Gone

    application.answering = working
    with server.client(protocol) as client:
        if protocol == "h2":
            stream = client.framed.request(client.fields("GET", "/patient/x"))
            application.awaited()
            client.framed.send(RstStreamFrame(stream, error_code=8))
            assert left.wait(5)
        else:
            client.connection.send(client.head("GET", "/patient/x"))
            application.awaited()
    assert left.wait(5)


def test_a_request_that_is_cut_is_not_taken_for_whole(server, application, protocol):
    """A client that dies in the middle of its body: the application never sees the end of it."""
    with server.client(protocol) as client:
        if protocol == "h2":
            stream = client.framed.request(client.fields("POST", "/patient/x"), end=False)
            client.framed.send_body(stream, b"half", end=False)
        else:
            client.connection.send(client.head("POST", "/patient/x", ("transfer-encoding", "chunked")) + b"4\r\nhalf\r\n")
        application.awaited()
    (request,) = application.requests
    eventually(lambda: request.is_complete or request.connection in application.closed)
    assert not request.is_complete


def test_a_slow_reader_slows_the_application(server, application, protocol):
    """Backpressure: of an answer without end, only some buffers are taken from the application while the client does not read."""
    sent = [0]

    def pouring(link):
        link.send(CHUNKED.encode())
        chunk = b"10000\r\n" + bytes(65536) + b"\r\n"
        while sent[0] < 256 << 20:
            link.send(chunk)
            sent[0] += 65536
        link.send(b"0\r\n\r\n")

    application.answering = pouring
    before = server.resident_mb()
    with server.client(protocol) as client:
        if protocol == "h2":
            client.framed.request(client.fields("GET", "/patient/x"))
        else:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            client.connection.send(client.head("GET", "/patient/x"))
        application.awaited()
        steady = [-1, -2]
        while steady[-1] != steady[-2]:
            time.sleep(0.3)
            steady.append(sent[0])
        assert steady[-1] < 24 << 20, "taken without being read"
        assert server.resident_mb() - before < 16
    eventually(lambda: application.requests[-1].connection in application.closed)


def test_an_idempotent_request_is_tried_on_another_server(make_sites, recorder, protocol):
    """Once, on the other one; what changes something is not."""
    dying = Recorder()

    def die(link):
        link.read_body()
        link.reset()
        raise Gone

    dying.answering = die
    site = {"upstream": [dying.url, recorder.url], "access": "public", "max_failures": 0}
    server = make_sites([site]).start()
    try:
        with server.client(protocol) as client:
            assert [client.get("/x").status for _ in range(10)] == [200] * 10
            assert dying.requests and len(recorder.requests) == 10
            statuses = [client.ask("POST", "/x", body=b"x").status for _ in range(10)]
            assert set(statuses) == {200, 502}
            assert len([each for each in dying.requests + recorder.requests if each.method == "POST"]) == 10, "sent twice"
    finally:
        dying.close()


def test_a_server_that_is_down_is_left_out(make_sites, recorder):
    """Passive and active checks: requests go to the one that is up, and come back when the other one is."""
    port = free_port()
    site = {"upstream": [f"http://127.0.0.1:{port}", recorder.url], "access": "public", "max_failures": 1, "fail_window": "300ms", "health_path": "/healthy", "health_interval": "100ms"}
    server = make_sites([site]).start()
    with server.client("http") as client:
        assert {client.ask("GET", "/x").status for _ in range(20)} == {200}
        asked = len([each for each in recorder.requests if each.target == "/x"])
        assert asked == 20
        eventually(lambda: any(each.target == "/healthy" for each in recorder.requests))


def test_an_application_on_a_unix_socket_and_over_https(make_sites, make_secure, tmp_path, protocol):
    """`unix:/path`; and `https://` with an authority of its own, which is verified: another one's certificate is a 502."""
    from certificates import Root
    root, stranger = Root(tmp_path / "root"), Root(tmp_path / "stranger")

    def tls(by: Root) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(*by.write("inner", ["localhost", "127.0.0.1"]))
        return made

    local, trusted, untrusted = Recorder(path=tmp_path / "app.sock"), Recorder(tls=tls(root)), Recorder(tls=tls(stranger))
    ca = {"upstream_ca": str(root.file)}
    server = make_sites([
        {"path": "/unix", "upstream": local.url, "access": "public"}, {"path": "/tls", "upstream": trusted.url, "access": "public", **ca},
        {"path": "/stranger", "upstream": untrusted.url, "access": "public", **ca}, {"path": "/system", "upstream": trusted.url, "access": "public"}]).start()
    try:
        with server.client(protocol) as client:
            assert client.get("/unix/x").body == client.get("/tls/x").body == b"ok"
            for path in ("/stranger/x", "/system/x"):
                assert client.get(path).status == 502, path
        assert local.requests and trusted.requests and not untrusted.requests
    finally:
        for each in (local, trusted, untrusted):
            each.close()
