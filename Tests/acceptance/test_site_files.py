"""Sites of files, redirects and fixed answers, over each protocol."""

import gzip
import hashlib
import json
import os
import pathlib
import random
import re
import time

import pytest

from raw import Closed

LARGE = random.Random(1).randbytes(8 << 20)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("files")
    root = made / "root"
    (root / "sub").mkdir(parents=True)
    (root / ".git").mkdir()
    contents = {
        "root/index.html": b"<p>start</p>", "root/sub/index.html": b"<p>sub</p>", "root/a.txt": b"0123456789", "root/large.bin": LARGE,
        "root/app.js": b"script();" * 300, "root/app.js.gz": gzip.compress(b"script();" * 300), "root/text.txt": b"All work and no play. " * 500,
        "root/.env": b"PASSWORD=1", "root/.git/config": b"x", "root/name \u00e9.txt": b"named", "secret.txt": b"secret"}
    for name, content in contents.items():
        (made / name).write_bytes(content)
    os.symlink("../secret.txt", root / "out.txt")
    os.symlink("..", root / "up")
    os.mkfifo(root / "fifo")
    # Tags of files that were written within the last second are weak.
    time.sleep(1.1)
    return made


@pytest.fixture(scope="module")
def _module_server(make_module_sites, folder):
    root = str(folder / "root")
    return make_module_sites([
        {"root": root, "access": "public", "limits": []},
        {"path": "/private", "root": root, "strip_prefix": True},
        {"path": "/spa", "root": root, "strip_prefix": True, "access": "public", "fallback": "/index.html", "cache_control": "no-cache"},
        {"path": "/moved", "redirect": "https://{host}:8443/new{uri}"},
        {"path": "/said", "respond": "no", "respond_status": 410, "respond_type": "text/plain", "set_response_headers": {"x-extra": "yes"}},
    ]).start()


@pytest.fixture
def server(_module_server, request):
    request.node.servers = [_module_server]
    return _module_server


def test_large_files_to_a_client_that_opens_its_windows_for_every_frame(server):
    """Such a client is sent frames as small as the last ones; it was once ended for a flood of updates after some megabytes."""
    with server.client("h2") as client:
        for _ in range(6):
            assert client.get("/large.bin").body == LARGE


def test_a_file_and_its_parts(server, protocol):
    with server.client(protocol) as client:
        for path, body in [("/", b"<p>start</p>"), ("/sub/", b"<p>sub</p>"), ("/a.txt", b"0123456789"), ("/name%20%C3%A9.txt", b"named"), ("/large.bin", LARGE)]:
            answer = client.get(path)
            assert (answer.status, answer.body == body) == (200, True), path
        tag = answer.one("etag")
        assert tag.startswith('"') and answer.one("accept-ranges") == "bytes" and answer.one("content-type") == "application/octet-stream"
        assert client.get("/large.bin", ("if-none-match", tag)).status == 304
        assert client.get("/large.bin", ("if-match", '"other"')).status == 412
        part = client.get("/large.bin", ("range", f"bytes=1000000-{len(LARGE) - 2}"), ("if-range", tag))
        assert part.status == 206 and part.body == LARGE[1_000_000:-1]
        assert part.one("content-range") == f"bytes 1000000-{len(LARGE) - 2}/{len(LARGE)}"
        several = client.get("/large.bin", ("range", "bytes=0-99999,-50000"))
        boundary = re.fullmatch("multipart/byteranges; boundary=(.*)", several.one("content-type"))[1].encode()
        _, first, last, end = several.body.split(b"\r\n--" + boundary)
        assert first.endswith(b"\r\n\r\n" + LARGE[:100_000]) and last.endswith(b"\r\n\r\n" + LARGE[-50_000:]) and end == b"--\r\n"
        beyond = client.get("/a.txt", ("range", "bytes=10-"))
        assert beyond.status == 416 and beyond.one("content-range") == "bytes */10"
        head = client.ask("HEAD", "/large.bin")
        assert (head.status, head.one("content-length"), head.body) == (200, str(len(LARGE)), b"")
        assert client.ask("POST", "/a.txt", body=b"x").status == 405


@pytest.mark.parametrize("path", [
    "/.env", "/%2eenv", "/.git/config", "/out.txt", "/up/secret.txt", "/fifo", "/none", "/a.txt/", "/%2e%2e/secret.txt", "/../secret.txt",
    "/sub/..%2f..%2fsecret.txt", "/sub/../../secret.txt", "/..%5csecret.txt", "//etc/passwd", "/a.txt%00.html", "/%c0%ae%c0%ae/secret.txt"])
def test_nothing_leads_out_of_the_folder(server, protocol, path):
    with server.client(protocol) as client:
        answer = client.get(path)
        assert answer.status in (400, 404) and b"secret" != answer.body and b"PASSWORD" not in answer.body
        assert client.get("/a.txt").status == 200


def test_compressed_ahead_or_on_the_way(server, protocol):
    with server.client(protocol) as client:
        ahead = client.get("/app.js", ("accept-encoding", "gzip, br;q=0.5"))
        assert ahead.one("content-encoding") == "gzip" and gzip.decompress(ahead.body) == b"script();" * 300
        assert ahead.one("content-length") == str(len(ahead.body)) and ahead.one("vary") == "Accept-Encoding"
        text = client.get("/text.txt", ("accept-encoding", "gzip"))
        assert text.one("content-encoding") == "gzip" and gzip.decompress(text.body) == b"All work and no play. " * 500
        assert text.one("etag").startswith("W/") and client.get("/text.txt", ("if-none-match", text.one("etag"))).status == 304
        assert client.get("/text.txt").body == b"All work and no play. " * 500


def test_files_for_those_who_are_signed_in(server, protocol):
    user = server.user()
    with server.client(protocol) as client:
        assert client.get("/private/a.txt").status == 401
        answer = client.get("/private/a.txt", user.cookie)
        assert (answer.status, answer.body, answer.one("cache-control")) == (200, b"0123456789", "private, no-cache")
        slash = client.get("/private?a=b", user.cookie)
        assert slash.status == 308 and slash.one("location") == "/private/?a=b"


def test_a_single_page_application(server, protocol):
    with server.client(protocol) as client:
        for path in ("/spa/", "/spa/orders/17"):
            answer = client.get(path)
            assert (answer.status, answer.body, answer.one("cache-control")) == (200, b"<p>start</p>", "no-cache")
        assert client.get("/spa/a.txt").body == b"0123456789"
        assert client.get("/spa/.env").status == 404


def test_redirects_and_fixed_answers(server, protocol):
    with server.client(protocol) as client:
        answer = client.get("/moved/a?b=c")
        assert answer.status == 308 and answer.one("location") == "https://app.test:8443/new/moved/a?b=c"
        for method in ("GET", "POST"):
            said = client.ask(method, "/said")
            assert (said.status, said.body, said.one("content-type"), said.one("x-extra")) == (410, b"no", "text/plain", "yes")


def test_a_person_gets_a_page_and_a_program_a_problem(server, protocol):
    with server.client(protocol) as client:
        assert json.loads(client.get("/none").body)["code"] == "not-found"
        page = client.get("/none", ("accept", "text/html"), ("sec-fetch-mode", "navigate"))
        assert page.status == 404 and page.one("content-type") == "text/html; charset=utf-8"


@pytest.mark.parametrize("secure", ["http", "https"])
def test_a_large_file_in_flat_memory(server, folder, secure):
    """Read from the disk, and then from memory; nothing of it stays open."""
    size = 512 << 20
    with open(folder / "root/sparse.bin", "wb") as file:
        file.truncate(size)
    before, open_before = server.resident_mb(), server.descriptors()
    for _ in range(2):
        with server.client(secure, timeout=60) as client:
            client.connection.send(client.head("GET", "/sparse.bin"))
            assert client.connection.head().one("content-length") == str(size)
            left, most = size - len(client.connection._buffer), 0.0
            while left > 0:
                read = client.socket.recv(1 << 20)
                assert read and read.count(0) == len(read)
                if (left >> 26) != (left - len(read)) >> 26:
                    most = max(most, server.resident_mb())
                left -= len(read)
            assert left == 0 and most - before < 16, f"grew from {before} to {most} MB"
    assert server.descriptors() <= open_before + 1


@pytest.mark.parametrize("secure", ["http", "https"])
def test_a_file_that_shrinks_on_its_way_breaks_off(server, folder, secure):
    """Soon, and without an event loop that spins meanwhile."""
    path = folder / "root/shrinks.bin"
    path.write_bytes(bytes(64 << 20))
    with server.client(secure, timeout=10) as client:
        client.connection.send(client.head("GET", "/shrinks.bin"))
        client.connection.head()
        os.truncate(path, 10)
        with pytest.raises((Closed, OSError)):
            client.connection._take(64 << 20)
    with server.client(secure) as client:
        assert client.get("/shrinks.bin").body == bytes(10)


def test_a_folder_is_replaced_under_load(make_sites, tmp_path, protocol):
    """A release by a link that is turned: every answer is the old one or the new one, whole."""
    for release in ("1", "2"):
        (tmp_path / release).mkdir()
        (tmp_path / release / "a.bin").write_bytes(hashlib.sha256(release.encode()).digest() * 10_000)
    current = tmp_path / "current"
    current.symlink_to("1")
    server = make_sites([{"root": str(current), "access": "public", "limits": []}]).start()
    bodies = {(tmp_path / release / "a.bin").read_bytes() for release in ("1", "2")}
    with server.client(protocol) as client:
        for turn in range(40):
            fresh = pathlib.Path(f"{current}.next")
            fresh.symlink_to("12"[turn % 2])
            fresh.replace(current)
            answer = client.get("/a.bin")
            assert answer.status == 200 and answer.body in bodies and answer.body == (current / "a.bin").read_bytes()
