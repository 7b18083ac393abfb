"""What a service manager such as systemd sees: states, the watchdog, sockets that stay while the server is restarted."""

import json
import os
import signal
import socket
import subprocess
import threading
import time

import pytest
import requests

from gate import BINARY, PASSWORD, Gatehouse, assert_problem, free_port

LISTENING = ["sh", "-c", 'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$0" "$@"']


class ManagedGatehouse(Gatehouse):
    """Started as systemd starts it: with a listening socket as descriptor 3, and a socket for what it tells."""

    def __init__(self, folder, address=None, **settings):
        super().__init__(folder, settings)
        if settings.get("public_url", "") is None:
            del self.settings["public_url"]
        self.socket = socket.create_server(("127.0.0.1", self.port), backlog=128)
        if address:
            self.settings["listen"]["http"] = [address]
            self.write_config()
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(str(folder / "notify"))
        self.manager.settimeout(10)
        self.env["NOTIFY_SOCKET"] = str(folder / "notify")

    def spawn(self):
        def pass_on():
            os.dup2(self.socket.fileno(), 3, inheritable=True)

        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*LISTENING, str(BINARY), "serve", "--config", str(self.config)], cwd=self.folder, env=self.environment(),
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, close_fds=False, preexec_fn=pass_on)
        return self.process

    def told(self) -> dict:
        lines = self.manager.recv(4096).decode().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def kill(self):
        super().kill()
        self.socket.close()
        self.manager.close()


@pytest.fixture
def make_managed(tmp_path, request):
    servers = request.node.servers = []

    def make(**settings):
        folder = tmp_path / f"managed{len(servers)}"
        folder.mkdir()
        servers.append(ManagedGatehouse(folder, **settings))
        return servers[-1]

    yield make
    for server in servers:
        server.kill()


def test_ready_and_stopping_are_told(make_managed):
    server = make_managed()
    server.start()
    ready = server.told()
    assert ready["READY"] == "1" and server.url in ready["STATUS"]
    assert server.stop() == 0
    assert server.told()["STOPPING"] == "1"


def test_in_the_journal_each_line_has_its_priority(make_managed):
    """Also the line that says why the server cannot run, in the form of the log. Elsewhere that is said in words."""
    server = make_managed()
    server.settings["no_such_setting"] = 1
    server.write_config()

    def refused(in_journal: bool) -> str:
        reader, writer = os.pipe()
        pipe = os.fstat(writer)
        env = server.environment() | {"JOURNAL_STREAM": f"{pipe.st_dev}:{pipe.st_ino + (not in_journal)}"}
        done = subprocess.run([str(BINARY), "serve", "--config", str(server.config)], env=env, stdout=writer, stderr=writer, timeout=20)
        os.close(writer)
        assert done.returncode == 78
        with os.fdopen(reader) as output:
            return output.read()

    assert refused(in_journal=False).startswith("gatehouse: The configuration has one fault:")
    line, rest = refused(in_journal=True).split("\n")
    assert line.startswith("<2>{") and rest == ""
    told = json.loads(line[3:])
    assert told["level"] == "critical" and "no_such_setting" in told["reason"] and told["exit_code"] == "78"


def test_a_restart_refuses_no_connection(make_managed):
    """The socket listens on while the process is replaced: clients wait, none is turned away."""
    server = make_managed()
    server.start()
    statuses, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            statuses.append(requests.get(server.url + "/health", headers={"Connection": "close"}, timeout=10).status_code)

    client = threading.Thread(target=ask)
    client.start()
    try:
        for _ in range(3):
            before = len(statuses)
            assert server.stop() == 0
            server.spawn()
            deadline = time.monotonic() + 10
            while len(statuses) < before + 5 and client.is_alive() and time.monotonic() < deadline:
                time.sleep(0.01)
            assert len(statuses) >= before + 5
    finally:
        stop.set()
        client.join(15)
    assert set(statuses) == {200}


def test_a_socket_that_nothing_is_configured_for(make_managed):
    """Who comes there is told that nothing is served, the operator where to name it, and everything else goes on."""
    other = free_port()
    server = make_managed(address=f"127.0.0.1:{other}", public_url="http://gate.test")
    server.spawn()
    assert server.told()["READY"] == "1"
    answer = server.call("POST", "/api/v1/auth/register", json={"email": server.address(), "password": PASSWORD})
    assert_problem(answer, 503, "unavailable")
    assert requests.get(f"http://127.0.0.1:{other}/health", timeout=10).status_code == 200
    warning = next(entry for entry in server.log_entries() if entry["level"] == "warning")
    assert warning["sockets"] == f"127.0.0.1:{server.port}" and "gatehouse.socket" in warning["advice"]
    assert server.stop() == 0


def test_a_socket_before_anything_is_configured(make_managed):
    """The page says what is waited for, and so does the status."""
    other = free_port()
    server = make_managed(address=f"127.0.0.1:{other}", public_url=None)
    server.spawn()
    ready = server.told()
    assert ready["READY"] == "1" and ready["STATUS"] == "Waiting for public_url"
    page = requests.get(server.url + "/anything", headers={"Accept": "text/html"}, timeout=10)
    assert page.status_code == 503 and "Gatehouse is installed" in page.text and f"public_url in {server.config}" in page.text
    assert server.stop() == 0


def test_the_watchdog_is_fed_by_a_server_that_lives(make_managed):
    """CHECKLIST 54: a stopped process feeds it no more, which is when systemd restarts it."""
    server = make_managed()
    server.env["WATCHDOG_USEC"] = "400000"
    server.start()
    while "READY" not in server.told():
        pass
    for _ in range(3):
        assert server.told() == {"WATCHDOG": "1"}
    os.kill(server.server_pid(), signal.SIGSTOP)
    server.manager.settimeout(1)
    with pytest.raises(TimeoutError):
        while True:
            server.told()
    os.kill(server.server_pid(), signal.SIGCONT)
    assert server.told() == {"WATCHDOG": "1"}
