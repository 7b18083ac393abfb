"""What an operator relies on: listeners, metrics, back pressure, a data folder that cannot be written to."""

import concurrent.futures
import contextlib
import http.client
import os
import socket
import subprocess
import time

import requests

from gate import QUICK, assert_problem, free_port, merged

DATABASES = ["sqlite", "postgres"]


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=5)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(5)
        self.sock.connect(self._path)


def get_unix(path, target: str) -> tuple[int, str]:
    connection = UnixConnection(path)
    connection.request("GET", target)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_several_listeners(make_server):
    server = make_server(QUICK)
    second = free_port()
    door = server.folder / "door.sock"
    server.settings["listen"]["http"] += [f"127.0.0.1:{second}", f"unix:{door}"]
    server.write_config()
    server.start()
    assert requests.get(f"http://127.0.0.1:{second}/health", timeout=5).status_code == 200
    assert get_unix(door, "/health")[0] == 200
    assert server.stop() == 0 and not door.exists()


def test_every_address_of_the_machine(make_server):
    """`:PORT` is IPv4 and IPv6."""
    port = free_port()
    server = make_server(QUICK)
    server.settings["listen"]["http"] += [f":{port}"]
    server.write_config()
    server.start()
    hosts = ["127.0.0.1", "127.0.0.2"] + (["[::1]"] if os.path.exists("/proc/net/if_inet6") else [])
    for host in hosts:
        assert requests.get(f"http://{host}:{port}/health", timeout=5).status_code == 200


def test_an_address_in_use_is_told(make_server):
    server = make_server(QUICK)
    with socket.socket() as other:
        other.bind(("127.0.0.1", server.port))
        other.listen()
        server.spawn()
        assert server.wait_exit(5) in (69, 73, 77)
    assert f"127.0.0.1:{server.port}: another process listens there" in server.log_text()


def test_metrics_on_the_admin_socket_and_a_private_address(make_server):
    """H2: Prometheus; never on the public listeners."""
    port = free_port()
    server = make_server(merged(QUICK, {"metrics": {"address": f"127.0.0.1:{port}"}})).start()
    server.register()
    server.call("GET", "/nothing-here")
    status, told = get_unix(server.data / "admin.sock", "/metrics")
    assert status == 200
    private = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5)
    assert private.status_code == 200 and private.headers["Content-Type"].startswith("text/plain")
    for text in (told, private.text):
        samples = [line for line in text.splitlines() if line and not line.startswith("#")]
        assert len(samples) > 5 and all(float(line.rsplit(" ", 1)[1]) >= 0 for line in samples)
        assert any(line.startswith("# TYPE") for line in text.splitlines())
    assert server.call("GET", "/metrics").status_code == 404
    assert requests.get(f"http://127.0.0.1:{port}/api/v1/auth/me", timeout=5).status_code == 404


def test_the_admin_socket_is_not_on_the_public_listener(shared):
    for path in ("/admin/users", "/admin/server", "/admin/limits"):
        assert_problem(shared.call("GET", path), 404, "not-found")


def test_overflow_of_the_hash_pool_is_a_503_and_stalls_nothing(make_server):
    """A2: bcrypt in a bounded pool; beyond it 503 with Retry-After, and health is answered meanwhile."""
    server = make_server(merged(QUICK, {"auth": {"bcrypt_cost": 12, "hash_threads": 1, "hash_queue": 3}})).start()
    email = server.address()
    server.register(email)
    slowest = 0.0
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        waiting = [pool.submit(server.login, email) for _ in range(24)]
        while not all(login.done() for login in waiting):
            begun = time.monotonic()
            assert requests.get(server.url + "/health", timeout=10).status_code == 200
            slowest = max(slowest, time.monotonic() - begun)
    answers = [login.result() for login in waiting]
    codes = {answer.status_code for answer in answers}
    assert codes == {200, 503}, codes
    for answer in answers:
        if answer.status_code == 503:
            assert_problem(answer, 503, "unavailable")
            assert int(answer.headers["Retry-After"]) >= 1
    assert slowest < 0.5, slowest
    assert server.login(email).status_code == 200


@contextlib.contextmanager
def read_only(folder):
    """A folder in which nothing can be written: by remounting for root, whom permissions do not bind, by permissions for others."""
    if os.geteuid() != 0:
        paths = [folder, *folder.rglob("*")]
        modes = [path.stat().st_mode for path in paths]
        for path in paths:
            path.chmod(path.stat().st_mode & ~0o222)
        yield
        for path, mode in zip(paths, modes):
            path.chmod(mode)
        return
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_read_only_data_folder(quick):
    """It has become read-only: told by name, and the data is not harmed."""
    email = quick.address()
    quick.register(email)
    assert quick.stop() == 0
    quick.log.unlink()
    with read_only(quick.data):
        quick.spawn()
        assert quick.wait_exit(5) in (69, 73, 77)
        assert str(quick.data) in quick.log_text() and "read-only" in quick.log_text().lower().replace("read only", "read-only")
    quick.start()
    assert quick.login(email).status_code == 200


def test_starts_without_any_network(make_server):
    """CHECKLIST 55: no interface but loopback, no name server."""
    server = make_server(QUICK)
    script = 'ip link set lo up && exec "$0" "$@"'
    command = ["unshare", "--net", "--", "sh", "-c", script]
    if os.geteuid() != 0:
        command.insert(1, "--map-root-user")
    server.wrapper = command
    process = server.spawn()
    deadline = time.monotonic() + 15
    enter = ["nsenter", "--net", *(["--user", "--preserve-credentials"] if os.geteuid() != 0 else [])]
    probe = [*enter, f"--target={process.pid}", "curl", "-sf", "--max-time", "2", server.url + "/api/v1/health/ready"]
    while subprocess.run(probe, capture_output=True).returncode:
        assert process.poll() is None and time.monotonic() < deadline, server.log_text()[-2000:]
        time.sleep(0.05)
    # unshare and sh have replaced themselves with the server.
    server.wrapper = []
    assert server.stop() == 0
