"""HTTPS as clients that others wrote see it: OpenSSL's, curl, h2load, Python's."""

import json
import re
import ssl
import subprocess

import pytest
import requests

from certificates import names_of
from gate import PASSWORD
from secure import SecureConnection, context, get, s_client, served

FURTHER = {"wild": ["*.wild.test"], "other": ["other.test", "www.other.test"], "exact": ["exact.wild.test"]}


@pytest.fixture(scope="module")
def _module_server(make_module_secure):
    return make_module_secure(further=FURTHER).start()


@pytest.fixture
def https(_module_server, request):
    request.node.servers = [_module_server]
    return _module_server


@pytest.mark.parametrize(("option", "version"), [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")])
def test_handshakes_verify(https, option, version):
    told = s_client(https.https_port, option, "-CAfile", str(https.ca_file), "-verify_return_error", "-verify_hostname", "gate.test")
    assert "Verify return code: 0 (ok)" in told and f"New, {version}" in told.replace("SSL-Session", ""), told
    assert re.search(r"Server Temp Key: (X25519|ECDH, prime256v1)", told), told
    assert re.search(r"Cipher is \S*(GCM|CHACHA20)", told) and "Compression: NONE" in told, told


@pytest.mark.parametrize("option", ["-tls1", "-tls1_1"])
def test_old_versions_are_refused(https, option):
    told = s_client(https.https_port, option, "-cipher", "ALL:@SECLEVEL=0")
    assert "alert protocol version" in told and "Cipher is (NONE)" in told, told


@pytest.mark.parametrize("ciphers", ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "NULL", "ADH-AES128-SHA256"])
def test_weak_ciphers_are_refused(https, ciphers):
    """No forward secrecy, CBC, nothing at all, nobody: none of these."""
    assert "Cipher is (NONE)" in s_client(https.https_port, "-tls1_2", "-cipher", f"{ciphers}:@SECLEVEL=0")


@pytest.mark.parametrize("option", ["-tls1_2", "-tls1_3"])
def test_sessions_are_resumed(https, tmp_path, option):
    kept = str(tmp_path / "session")
    request = get("/health", "Connection: close")
    # The session of TLS 1.3 comes after the handshake: it is there once the answer has been read.
    first = s_client(https.https_port, option, "-quiet", "-sess_out", kept, text=request)
    assert '"status":"ok"' in first, first
    told = s_client(https.https_port, option, "-sess_in", kept)
    assert "Reused, TLSv1" in told, told
    # Early data could be replayed by whoever recorded it.
    assert "Early data was not sent" in told or option == "-tls1_2", told
    assert re.search(r"Max Early Data: [1-9]", first + told) is None


@pytest.mark.parametrize(
    ("offered", "chosen"), [("h2,http/1.1", "h2"), ("http/1.1,h2", "h2"), ("http/1.1", "http/1.1"), ("spdy/3,http/1.1", "http/1.1")])
def test_alpn(https, offered, chosen):
    assert f"ALPN protocol: {chosen}" in s_client(https.https_port, "-alpn", offered)


def test_without_alpn_it_is_http_1(https):
    told = s_client(https.https_port, "-quiet", text=get("/health", "Connection: close"))
    assert told.count("HTTP/1.1 200") == 1, told


@pytest.mark.parametrize("offered", ["spdy/3", "acme-tls/1"])
def test_unknown_protocols_are_refused(https, offered):
    """RFC 7301 §3.2: no_application_protocol; and acme-tls/1 only while a name is being proved."""
    told = s_client(https.https_port, "-alpn", offered)
    assert "alert" in told and "Cipher is (NONE)" in told, told


@pytest.mark.parametrize(
    ("name", "expected"),
    [("gate.test", "gate.test"), ("GATE.test", "gate.test"), ("other.test", "other.test"), ("www.other.test", "other.test"),
     ("a.wild.test", "*.wild.test"), ("exact.wild.test", "exact.wild.test"), ("a.b.wild.test", "gate.test"), ("wild.test", "gate.test"),
     ("unknown.test", "gate.test"), (None, "gate.test")])
@pytest.mark.parametrize("protocol", ["http/1.1", "h2"])
def test_sni_chooses_the_certificate(https, name, expected, protocol):
    assert expected in names_of(served(https.https_port, name, (protocol,)))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_end_is_said(https, version):
    """close_notify after the last byte: a client tells the end from a cut."""
    with SecureConnection(https.https_port, tls=context(version=version)) as connection:
        connection.send(get("/health", "Connection: close"))
        assert connection.answer().status == 200
        assert connection.socket.recv(1) == b"", "SSLEOFError would be a cut"


def test_keep_alive_and_pipelining(https):
    with SecureConnection(https.https_port, tls=context(https.ca_file)) as connection:
        connection.send(get() * 20)
        assert [connection.answer().status for _ in range(20)] == [200] * 20


def test_renegotiation_is_refused(https):
    """RFC 5746 aside: a client could make the server sign for ever."""
    # s_client renegotiates on a line of its own that says R.
    told = s_client(https.https_port, "-tls1_2", "-no_ign_eof", text="R\n" + "x" * 10)
    before, _, after = told.partition("RENEGOTIATING")
    assert after and "depth=0" not in after and re.search(r"no renegotiation|handshake failure|error", after), told


# curl


def curl(server, path: str, *options: str, name: str = "gate.test", scheme: str = "https") -> subprocess.CompletedProcess:
    port = server.https_port if scheme == "https" else server.port
    return subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "15", "--cacert", str(server.ca_file), "--resolve", f"{name}:{port}:127.0.0.1",
         *options, f"{scheme}://{name}:{port}{path}"], capture_output=True, text=True, timeout=20)


@pytest.mark.parametrize(("option", "version"), [("--http1.1", "1.1"), ("--http2", "2"), ("--tls-max 1.2 --http2", "2")])
def test_curl(https, option, version):
    done = curl(https, "/api/v1/health", *option.split(), "--write-out", "\n%{http_version} %{http_code}")
    body, told = done.stdout.rsplit("\n", 1)
    assert told == f"{version} 200" and json.loads(body)["status"] == "healthy", (done.stdout, done.stderr)


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_an_account_over_https(https, version, tmp_path):
    """The whole exchange: a body in, a session out, a cookie that only HTTPS carries."""
    email, jar = https.address(), tmp_path / "jar"
    body = json.dumps({"email": email, "password": PASSWORD})
    made = curl(https, "/api/v1/auth/register", version, "--json", body, "--cookie-jar", str(jar), "--dump-header", "-")
    assert re.match(r"HTTP/\S+ 201", made.stdout), (made.stdout, made.stderr)
    cookie = next(line for line in made.stdout.splitlines() if line.lower().startswith("set-cookie: __host-gatehouse="))
    assert "secure" in cookie.lower() and "httponly" in cookie.lower()
    me = curl(https, "/api/v1/auth/me", version, "--cookie", str(jar))
    assert json.loads(me.stdout)["email"] == email, (me.stdout, me.stderr)


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
@pytest.mark.parametrize("size", [0, 1, 16_384, 1_000_000])
def test_bodies_of_all_sizes(https, version, size, tmp_path):
    """Records and frames of whatever size: the body arrives whole (and is judged: it is no JSON), or is too large."""
    body = tmp_path / "body"
    body.write_bytes(b"x" * size)
    done = curl(https, "/api/v1/auth/login", version, "-H", "Content-Type: application/json", "--data-binary", f"@{body}", "-w", "\n%{http_code}")
    assert done.returncode == 0 and done.stdout.rsplit("\n", 1)[1] == "400", (done.stdout[-500:], done.stderr)


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_a_body_too_large_is_told(https, version, tmp_path):
    body = tmp_path / "body"
    body.write_bytes(b"x" * 3_000_000)
    done = curl(https, "/api/v1/auth/login", version, "-H", "Content-Type: application/json", "--data-binary", f"@{body}", "-w", "\n%{http_code}")
    assert done.stdout.rsplit("\n", 1)[1] == "413", (done.returncode, done.stdout[-500:], done.stderr)


def test_curl_refuses_a_wrong_host(https):
    assert curl(https, "/health", name="wrong.test").returncode == 60


def test_plain_http_on_the_https_port_is_no_crash(https):
    """Answered with an alert, a 400 or the end of the connection."""
    done = subprocess.run(
        ["curl", "-sS", "--max-time", "10", "-w", "%{http_code}", f"http://127.0.0.1:{https.https_port}/health"],
        capture_output=True, text=True, timeout=15)
    assert done.returncode not in (0, 28) or done.stdout.endswith("400"), (done.returncode, done.stdout)
    assert curl(https, "/health").returncode == 0


# Redirect and HSTS


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_plain_http_is_sent_to_https(https, method):
    answer = https.call(method, "/api/v1/orgs?a=1&b=%2F", headers={"Host": "gate.test"})
    assert answer.status_code == 308 and answer.headers["Location"] == f"{https.public_url}/api/v1/orgs?a=1&b=%2F"
    assert "Strict-Transport-Security" not in answer.headers, "RFC 6797 §7.2: not over plain HTTP"


@pytest.mark.parametrize("path", ["/health", "/api/v1/health", "/api/v1/health/live", "/api/v1/health/ready"])
def test_health_is_answered_on_both(https, path):
    assert https.call("GET", path).status_code == 200


def test_an_open_redirect_is_none(https):
    """CHECKLIST 28: neither the path nor the Host leads elsewhere."""
    for path, host in (("//evil.test/", "gate.test"), ("/\\evil.test", "gate.test"), ("/x", "evil.test"), ("/x", "gate.test:1@evil.test")):
        answer = requests.get(f"http://127.0.0.1:{https.port}{path}", headers={"Host": host}, allow_redirects=False, timeout=5)
        if answer.status_code == 308:
            assert answer.headers["Location"].startswith(https.public_url + "/"), (path, host, answer.headers)
        else:
            assert 400 <= answer.status_code < 500, (path, host, answer.status_code)


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_strict_transport_security(https, version):
    done = curl(https, "/health", version, "--head")
    assert re.search(r"^strict-transport-security: max-age=\d{7,}", done.stdout, re.MULTILINE | re.IGNORECASE), done.stdout


# h2load


def h2load(server, *options: str) -> str:
    done = subprocess.run(
        ["h2load", *options, "--connect-to", f"127.0.0.1:{server.https_port}", f"https://gate.test:{server.https_port}/health"],
        capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("options", [("-c32", "-m10"), ("-c4", "-m100"), ("-c32", "-m1", "--h1")])
def test_h2load(https, options):
    told = h2load(https, "-n20000", "-t2", *options)
    assert "20000 succeeded, 0 failed, 0 errored, 0 timeout" in told and "status codes: 20000 2xx" in told, told
    assert f"Application protocol: {'http/1.1' if '--h1' in options else 'h2'}" in told
