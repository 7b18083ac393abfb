"""Reading the configuration again: by SIGHUP and by command, under load, and with what is wrong in it."""

import os
import signal
import subprocess
import threading

import pytest
import requests

from certificates import replace
from gate import OPEN_LIMITS, merged
from others import nginx_with_files
from recording import Recorder, response
from secure import SecureConnection, served
from waiting import eventually


@pytest.fixture
def nginx(tmp_path):
    made = nginx_with_files(tmp_path / "nginx").start()
    yield made
    made.close()


def saying(text: str) -> dict:
    return {"respond": text}


def said(server, protocol: str = "http") -> str:
    with server.client(protocol) as client:
        return client.get("/x").body.decode()


@pytest.mark.parametrize("how", ["SIGHUP", "command"])
def test_what_was_changed_is_in_force(make_sites, how):
    """Sites come, change and go, on connections that stay."""
    server = make_sites([saying("old")]).start()

    def reload() -> None:
        if how == "SIGHUP":
            os.kill(server.server_pid(), signal.SIGHUP)
        else:
            done = server.run("reload")
            assert done.returncode == 0, done.stderr

    with server.client("http") as plain, server.client("h2") as streams:
        assert plain.get("/x").body == streams.get("/x").body == b"old"
        server.set_sites([saying("new"), {"path": "/further", "respond": "further"}])
        reload()
        eventually(lambda: plain.get("/x").body == b"new")
        assert streams.get("/x").body == b"new" and streams.get("/further").body == b"further"
        server.set_sites([{"path": "/further", "respond": "still here"}])
        reload()
        eventually(lambda: plain.get("/x").status == 404)
        assert streams.get("/further").body == b"still here"


@pytest.mark.parametrize(("fault", "named"), [
    ("[[site]\n", "]]"), ("[[site]]\nhost = 'app.test'\nupstrem = 'http://127.0.0.1:1'\n", "upstream"), ("[[site]]\nhost = 'app.test'\nrespond = 'x'\naccess = 'everybody'\n", "access"),
    ("[[site]]\nhost = 'app.test'\nrespond = 'x'\nroot = '/tmp'\n", "root"), ("[[site]]\nhost = 'a b'\nrespond = 'x'\n", "host"),
    ("[[site]]\nhost = 'app.test'\nupstream = 'ftp://127.0.0.1'\n", "upstream"), ("[[site]]\nhost = 'app.test'\nrespond = 'x'\nlimits = ['nothing']\n", "nothing")])
def test_a_faulty_configuration_is_refused_and_the_old_one_goes_on(make_sites, fault, named):
    server = make_sites([saying("old")]).start()
    good = server.config.read_text()
    server.config.write_text(good.split("[[site]]")[0] + fault)
    done = server.run("reload")
    assert done.returncode == 78 and named in done.stdout + done.stderr, (done.returncode, done.stdout, done.stderr)
    before = len(server.log_entries())
    os.kill(server.server_pid(), signal.SIGHUP)
    eventually(lambda: any(entry.get("level") in ("error", "warning") for entry in server.log_entries()[before:]))
    assert server.is_running() and said(server) == "old"
    server.config.write_text(good.replace("old", "mended"))
    assert server.run("reload").returncode == 0
    eventually(lambda: said(server) == "mended")


def test_what_needs_a_restart_is_named(make_sites):
    server = make_sites([saying("old")]).start()
    server.settings["listen"] = {**server.settings["listen"], "http": ["127.0.0.1:1"]}
    server.set_sites([saying("new")])
    done = server.run("reload")
    assert "listen.http" in done.stdout + done.stderr + server.log_text(), (done.stdout, done.stderr)
    assert server.is_running()
    eventually(lambda: said(server) in ("old", "new"))


def test_limits_change_and_counts_stay(make_sites, recorder):
    """A limit that was used up is not forgotten by a reload; a wider one lets pass again."""
    server = make_sites([{"upstream": recorder.url, "access": "public", "limits": ["few"]}], {"limits": {"policies": {"few": {"limit": 3, "window": "1h"}}}}).start()
    with server.client("http") as client:
        assert [client.get("/x").status for _ in range(4)] == [200] * 3 + [429]
        assert server.run("reload").returncode == 0
        assert client.get("/x").status == 429
        server.settings["limits"] = merged(OPEN_LIMITS, {"policies": {"few": {"limit": 5, "window": "1h"}, "site": {"limit": 1000, "window": "1s"}}})
        server.write_config()
        assert server.run("reload").returncode == 0
        eventually(lambda: client.get("/x").status == 200)


def test_certificates_change_on_reload(make_sites):
    """Files that were replaced, and connections that go on with the old one."""
    server = make_sites([saying("here")]).start()
    with SecureConnection(server.https_port, "app.test") as old:
        before = old.certificate()
        server.root.write("apps", ["app.test"])
        assert server.run("reload").returncode == 0
        eventually(lambda: served(server.https_port, "app.test").serial_number != before.serial_number)
        old.send(f"GET /x HTTP/1.1\r\nHost: app.test:{server.https_port}\r\n\r\n".encode())
        assert old.answer().body == b"here"
    assert replace is not None


def test_no_request_is_lost_while_reloading(make_sites, nginx, recorder):
    """Under load on both doors, sites, limits and upstreams change thirty times: every request is answered, by the one or the other."""
    site = {"upstream": nginx.url, "access": "public", "strip_prefix": True, "path": "/app"}
    server = make_sites([site]).start()
    loads = [
        subprocess.Popen(["h2load", "-t1", "-c8", "-m4", "-D6", f"--connect-to=127.0.0.1:{server.https_port}", f"https://app.test:{server.https_port}/app/small"],
                         stdout=subprocess.PIPE, text=True),
        subprocess.Popen(["wrk", "-t1", "-c16", "-d6s", "-H", f"Host: app.test:{server.port}", f"{server.url}/app/small"], stdout=subprocess.PIPE, text=True)]
    # A slow answer, begun under the first configuration and ended under the last.
    slow = threading.Event()

    def slowly(link):
        link.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha")
        slow.wait(30)
        link.send(b"lf")

    recorder.answering = slowly
    server.set_sites([site, {"path": "/slow", "upstream": recorder.url, "access": "public"}])
    assert server.run("reload").returncode == 0
    with server.client("http") as client:
        client.connection.send(client.head("GET", "/slow"))
        recorder.awaited()
        number = 0
        while any(load.poll() is None for load in loads):
            number += 1
            server.set_sites([{**site, "set_response_headers": {"X-Number": str(number)}, "balance": ("round-robin", "least-connections")[number % 2]}])
            assert server.run("reload").returncode == 0
        slow.set()
        answer = client.connection.answer()
        assert (answer.status, answer.body) == (200, b"half")
        assert client.get("/slow").status == 404
        assert client.get("/app/small").one("x-number") == str(number)
    streams, plain = [load.stdout.read() for load in loads]
    assert number >= 10
    assert "0 failed, 0 errored, 0 timeout" in streams and ", 0 3xx, 0 4xx, 0 5xx" in streams, streams
    assert "Non-2xx" not in plain and "Socket errors" not in plain, plain
    assert requests.get(server.url + "/health", timeout=5).status_code == 200


def test_reloading_leaves_nothing_behind(make_sites):
    """Sixty reloads that each change something: neither memory nor descriptors nor threads grow."""
    application = Recorder(lambda link: (link.read_body(), link.send(response())))
    server = make_sites([{"upstream": application.url, "access": "public"}]).start()

    def round_of_reloads(count: int) -> None:
        for number in range(count):
            site = {"upstream": application.url, "access": "public", "health_path": "/", "health_interval": "100ms"}
            server.set_sites([{**site, "set_response_headers": {"X-Number": str(number)}}])
            assert server.run("reload").returncode == 0
            with server.client("http") as client:
                assert client.get("/x").one("x-number") == str(number)

    try:
        round_of_reloads(20)
        descriptors, memory, threads = server.descriptors(), server.resident_mb(), len(os.listdir(f"/proc/{server.server_pid()}/task"))
        round_of_reloads(40)
        eventually(lambda: server.descriptors() <= descriptors + 4)
        assert server.resident_mb() - memory < 4
        assert len(os.listdir(f"/proc/{server.server_pid()}/task")) <= threads + 1
    finally:
        application.close()
