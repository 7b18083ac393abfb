"""What the server says to HTTP's corners: bodies, methods, headers, sizes, slow and many clients."""

import gzip
import json
import time

import pytest
import requests

from gate import PASSWORD, QUICK, assert_problem, merged
from raw import Closed, Connection, exchange

LOGIN = "/api/v1/auth/login"


def head(method: str, path: str, *lines: str) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *lines, "", ""]).encode("latin-1")


def test_health(shared):
    simple = shared.call("GET", "/health").json()
    assert simple["status"] == "ok" and simple["timestamp"].endswith("Z")
    for path in ("/api/v1/health", "/api/health"):
        whole = shared.call("GET", path).json()
        assert whole["status"] == "healthy" and whole["version"] and whole["uptime"] >= 0
        assert whole["checks"]["database"]["status"] and whole["checks"]["database"]["latency"] >= 0
        assert "redis" not in whole["checks"], "only what is configured is listed"
    assert shared.call("GET", "/api/v1/health/live").json() == {"status": "ok"}
    assert shared.call("GET", "/api/v1/health/ready").json() == {"status": "ready"}


def test_form_and_json_bodies(shared):
    email = shared.address()
    form = shared.call("POST", "/api/v1/auth/register", data={"email": email, "password": PASSWORD, "name": "A & B=C+D"})
    assert form.status_code == 201 and form.json()["user"]["name"] == "A & B=C+D"
    for content_type in ("application/json", "application/json; charset=utf-8", "APPLICATION/JSON"):
        body = json.dumps({"email": email, "password": PASSWORD})
        assert shared.call("POST", LOGIN, data=body, headers={"Content-Type": content_type}).status_code == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "", "application/jsonp"])
def test_other_media_types_are_refused(shared, content_type):
    answer = shared.call("POST", LOGIN, data=b"{}", headers={"Content-Type": content_type})
    assert_problem(answer, 415, "unsupported-media-type")


@pytest.mark.parametrize(
    ("body", "place"),
    [(b'{"email": "a@example.com",}', "1"), (b'{"email":\n "a@example.com"\n "password": 1}', "3"), (b'{"a": \xff}', "1"), (b"", ""),
     (b'{"email": "a"} x', "1"), (b"[" * 20_000, ""), (b'{"email":"\\ud800"}', "")])
def test_broken_json_says_where(shared, body, place):
    answer = shared.call("POST", LOGIN, data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    problem = assert_problem(answer, answer.status_code, answer.json()["code"])
    if place:
        assert answer.status_code == 400 and f"line {place}" in problem["detail"], problem


def test_wrong_types_in_a_body_name_the_field(shared):
    answer = shared.call("POST", LOGIN, json={"email": 7, "password": ["x"]})
    fields = {entry["field"] for entry in assert_problem(answer, 422, "request/invalid")["errors"]}
    assert "email" in fields


def test_unknown_paths_and_methods(shared):
    assert_problem(shared.call("GET", "/nothing-here"), 404, "not-found")
    assert_problem(shared.call("POST", "/api/v1/nothing", json={}), 404, "not-found")
    wrong = shared.call("DELETE", "/api/v1/auth/login")
    assert_problem(wrong, 405, "method-not-allowed")
    assert "POST" in [method.strip() for method in wrong.headers["Allow"].split(",")]
    health = shared.call("POST", "/health")
    assert health.status_code == 405 and {"GET", "HEAD"} <= {method.strip() for method in health.headers["Allow"].split(",")}


def test_head_and_options(shared):
    get = shared.call("GET", "/health")
    answer = exchange(shared.port, head("HEAD", "/health", "Connection: close"), head_only=True)
    assert answer.status == 200 and answer.body == b"" and answer.one("content-type") == get.headers["Content-Type"]
    options = shared.call("OPTIONS", "/api/v1/auth/me")
    assert options.status_code in (200, 204)
    assert {"GET", "HEAD", "PATCH", "OPTIONS"} <= {method.strip() for method in options.headers["Allow"].split(",")}


def test_a_problem_has_a_page(shared):
    for code in ("request/malformed", "auth/required", "rate-limit/exceeded", "not-found"):
        page = shared.call("GET", f"/problems/{code}")
        assert page.status_code == 200 and page.text.strip()
    problem = shared.call("GET", "/nothing-here").json()
    assert problem["type"] == shared.url + "/problems/not-found" and problem["instance"] == "/nothing-here"


def test_request_id_is_in_the_log(quick):
    """G3: each problem has a request id that is also in the log."""
    problem = assert_problem(quick.call("GET", "/api/v1/auth/me"), 401, "auth/required")
    deadline = time.monotonic() + 5
    while problem["request_id"] not in quick.log_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    (entry,) = [entry for entry in quick.log_entries() if problem["request_id"] in json.dumps(entry)]
    assert "401" in json.dumps(entry) and "/api/v1/auth/me" in json.dumps(entry)


@pytest.mark.parametrize("path", ["/health", "/nothing-here", "/api/v1/auth/me", "/problems/not-found"])
def test_security_headers(shared, path):
    headers = shared.call("GET", path).headers
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"
    assert "default-src" in headers["Content-Security-Policy"] and headers["Referrer-Policy"]
    assert "Strict-Transport-Security" not in headers, "over plain HTTP it means nothing"
    assert "swift" not in headers.get("Server", "").lower() and "X-Powered-By" not in headers


def test_strict_transport_security_with_https(make_server):
    server = make_server(merged(QUICK, {"public_url": "https://gate.example.com"})).start()
    assert "max-age=" in server.call("GET", "/health").headers["Strict-Transport-Security"]


def test_gzip_by_negotiation(shared):
    """G2: a list of sessions is long enough to be worth it."""
    email = shared.address()
    token = shared.register(email)["access_token"]
    for _ in range(12):
        shared.login(email)
    request = head("GET", "/api/v1/auth/sessions", f"Authorization: Bearer {token}", "Accept-Encoding: gzip", "Connection: close")
    packed = exchange(shared.port, request)
    assert packed.one("content-encoding") == "gzip" and len(packed.body) < 1500
    for refusal in (b"Accept-Encoding: identity", b"Accept-Encoding: gzip;q=0", b"X-Nothing: here"):
        plain = exchange(shared.port, request.replace(b"Accept-Encoding: gzip", refusal))
        assert plain.all("content-encoding") == [] and len(json.loads(plain.body)["sessions"]) == 13
        assert "accept-encoding" in ", ".join(plain.all("vary")).lower()
    assert json.loads(gzip.decompress(packed.body)).keys() == {"sessions"}
    assert "accept-encoding" in ", ".join(packed.all("vary")).lower()


def test_bodies_beyond_a_mebibyte_are_refused(shared):
    fits = {"email": "a@example.com", "password": "x" * 1000, "pad": "y" * ((1 << 20) - 2000)}
    assert shared.call("POST", LOGIN, json=fits).status_code in (401, 422)
    big = b'{"email":"' + b"x" * (1 << 20) + b'"}'
    answer = shared.call("POST", LOGIN, data=big, headers={"Content-Type": "application/json"})
    assert_problem(answer, 413, "request/too-large")
    declared = exchange(shared.port, head("POST", LOGIN, "Content-Type: application/json", "Content-Length: 99999999999"))
    assert declared.status == 413
    with Connection(shared.port) as connection:
        connection.send(head("POST", LOGIN, "Content-Type: application/json", "Transfer-Encoding: chunked"))
        try:
            for _ in range(40):
                connection.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert connection.answer().status == 413


MALFORMED = {
    "both lengths": head("POST", LOGIN, "Content-Length: 4", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "differing lengths": head("POST", LOGIN, "Content-Length: 4", "Content-Length: 5") + b"abcde",
    "differing lengths in a list": head("POST", LOGIN, "Content-Length: 4, 5") + b"abcde",
    "negative length": head("POST", LOGIN, "Content-Length: -1"),
    "signed length": head("POST", LOGIN, "Content-Length: +4") + b"abcd",
    "bare LF": b"GET /health HTTP/1.1\nHost: x\n\n",
    "bare LF in the head": b"GET /health HTTP/1.1\r\nHost: x\nX-A: b\r\n\r\n",
    "folded header": b"GET /health HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\n\r\n",
    "space before the colon": b"GET /health HTTP/1.1\r\nHost: x\r\nX-A : b\r\n\r\n",
    "malformed chunk": head("POST", LOGIN, "Transfer-Encoding: chunked") + b"zz\r\nabc\r\n0\r\n\r\n",
    "overlong chunk size": head("POST", LOGIN, "Transfer-Encoding: chunked") + b"f" * 17 + b"\r\nabc\r\n",
    "chunked twice": head("POST", LOGIN, "Transfer-Encoding: chunked, chunked") + b"0\r\n\r\n",
    "unknown coding": head("POST", LOGIN, "Transfer-Encoding: gzip") + b"0\r\n\r\n",
    "no host": b"GET /health HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "NUL in a header": b"GET /health HTTP/1.1\r\nHost: x\r\nX-A: b\x00c\r\n\r\n",
    "CR in a header": b"GET /health HTTP/1.1\r\nHost: x\r\nX-A: b\rc\r\n\r\n",
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_requests_are_refused_and_the_connection_closed(shared, name):
    """CHECKLIST 33 (RFC 9112 §6): 400 and close, and nothing of what follows is taken for a request."""
    with Connection(shared.port) as connection:
        connection.send(MALFORMED[name] + head("GET", "/health"))
        try:
            answer = connection.answer()
        except Closed:
            assert name == "not HTTP"
            return
        assert answer.status == (501 if name == "unknown coding" and answer.status == 501 else 400), answer
        assert answer.one("content-type") == "application/problem+json"
        assert connection.is_closed()


def test_header_limits(shared):
    """CHECKLIST 34: count and size."""
    for name, request in {
        "many": head("GET", "/health", *(f"X-{n}: y" for n in range(150))),
        "large": head("GET", "/health", "X-Large: " + "y" * 70_000),
        "long target": head("GET", "/health?" + "y" * 70_000),
    }.items():
        with Connection(shared.port) as connection:
            try:
                connection.send(request)
            except (BrokenPipeError, ConnectionResetError):
                pass
            answer = connection.answer()
            assert answer.status in (414, 431), (name, answer.status)
            assert connection.is_closed(), name


def test_slow_requests_are_ended(make_server):
    """CHECKLIST 34: a head, a body and an idle connection have their time."""
    times = {"header_timeout": "500ms", "body_timeout": "500ms", "idle_timeout": "500ms"}
    server = make_server(merged(QUICK, {"http": times})).start()
    for begun in (b"GET /hea", head("POST", LOGIN, "Content-Type: application/json", "Content-Length: 10") + b"{", head("GET", "/health")):
        with Connection(server.port) as connection:
            connection.send(begun)
            try:
                assert connection.answer().status in (200, 408)
            except Closed:
                continue
            assert connection.is_closed(within=5)
    with Connection(server.port) as connection:
        # A drop at a time keeps no request alive.
        for byte in b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: yyyyyyyyyyyyyyyyyyyyyyy":
            try:
                connection.send(bytes([byte]))
            except (BrokenPipeError, ConnectionResetError):
                break
            time.sleep(0.05)
        else:
            raise AssertionError("three seconds of drops were taken")


def test_keep_alive_and_pipelining(shared):
    with Connection(shared.port) as connection:
        connection.send(head("GET", "/health") * 20)
        assert [connection.answer().status for _ in range(20)] == [200] * 20
        connection.send(head("GET", "/health", "Connection: close"))
        assert connection.answer().status == 200 and connection.is_closed()


def test_expect_continue(shared):
    body = json.dumps({"email": "a@example.com", "password": PASSWORD}).encode()
    with Connection(shared.port) as connection:
        connection.send(head("POST", LOGIN, "Content-Type: application/json", f"Content-Length: {len(body)}", "Expect: 100-continue"))
        assert connection.interim() == 100
        connection.send(body)
        assert connection.answer().status == 401


def test_a_fresh_client_is_answered_among_half_sent_ones(shared):
    """CHECKLIST 57, in small: 400 half-sent heads from one address, a fresh request within 500 ms throughout."""
    waiting = []
    try:
        for n in range(400):
            connection = Connection(shared.port)
            connection.send(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: ")
            waiting.append(connection)
            if n % 50 == 49:
                begun = time.monotonic()
                assert requests.get(shared.url + "/health", timeout=5).status_code == 200
                assert time.monotonic() - begun < 0.5
    finally:
        for connection in waiting:
            connection.socket.close()
