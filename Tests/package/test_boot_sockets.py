"""Ports 80 and 443 under a real systemd: they stay while the server is restarted, and are served once they are configured."""

import http.client
import ssl
import threading

import pytest

import installation
from service import SELF_SIGNED, UNIT, drop_in, get, log, main_pid, show
from waiting import eventually

PATH = "/api/v1/health/live"


@pytest.fixture(scope="module")
def secure(make_module_machine):
    machine = make_module_machine()
    installation.install(machine)
    installation.configure(machine, SELF_SIGNED)
    machine.boot()
    eventually(lambda: show(machine, "ActiveState") == "active")
    return machine


class Client(threading.Thread):
    """Asks again and again, on a new connection each time or on one for as long as it is kept, and counts what went wrong."""

    def __init__(self, machine, tls: bool, keeps: bool):
        super().__init__()
        self.name = f"{'https' if tls else 'http'}, {'kept' if keeps else 'closed'}"
        self.count, self.faults = 0, []
        self._machine, self._tls, self._keeps = machine, tls, keeps
        self._ending = threading.Event()

    def _connection(self):
        if not self._tls:
            return http.client.HTTPConnection("127.0.0.1", 80, timeout=15)
        context = ssl._create_unverified_context()
        return http.client.HTTPSConnection("127.0.0.1", 443, timeout=15, context=context)

    def run(self):
        with self._machine.network():
            connection = self._connection()
            while not self._ending.is_set():
                try:
                    connection.request("GET", PATH, headers={"Host": "gate.test"} | ({} if self._keeps else {"Connection": "close"}))
                    answer = connection.getresponse()
                    answer.read()
                    if answer.status != 200:
                        self.faults.append(answer.status)
                    self.count += 1
                    # http.client closes it where the answer says so, and makes a new one by itself.
                except (OSError, http.client.HTTPException) as fault:
                    self.faults.append(repr(fault))
                    connection.close()
            connection.close()

    def end(self):
        self._ending.set()
        self.join(30)


def test_a_restart_under_load_loses_nothing(secure):
    """Five restarts, HTTP and HTTPS, with connections that are kept and such that are not: none refused, none broken off."""
    clients = [Client(secure, tls, keeps) for tls in (False, True) for keeps in (False, True) for _ in range(2)]
    for client in clients:
        client.start()
    pids = set()
    try:
        for _ in range(5):
            before = [client.count for client in clients]
            secure.run("systemctl", "restart", UNIT)
            pids.add(main_pid(secure))
            eventually(lambda: all(client.count > earlier + 5 for client, earlier in zip(clients, before)), within=20)
    finally:
        for client in clients:
            client.end()
    assert {client.name: client.faults for client in clients if client.faults} == {}
    assert len(pids) == 5


def test_one_socket_serves_both_protocols_and_both_ports(secure):
    """Settings with every address, or with those of both protocols written out, get the same sockets from systemd."""
    for listen in ("", '[listen]\nhttp = ["0.0.0.0:80", "[::]:80"]\nhttps = ["0.0.0.0:443", "[::]:443"]\n'):
        installation.configure(secure, SELF_SIGNED + listen)
        secure.run("systemctl", "restart", UNIT)
        assert show(secure, "StatusText") == "Serving https://gate.test"
        for host in ("127.0.0.1", "[::1]"):
            assert get(secure, f"https://{host}/health", headers={"Host": "gate.test"}).status_code == 200
            plain = get(secure, f"http://{host}/", headers={"Host": "gate.test"})
            assert (plain.status_code, plain.headers["Location"]) == (308, "https://gate.test/")
    # One of both protocols shows IPv4 addresses as IPv6 (RFC 4291 §2.5.5.2): limits and rules go by what they are.
    clients = {entry["client"] for entry in log(secure) if entry["message"] == "request"}
    assert clients == {"127.0.0.1", "::1"}


def test_a_single_address_of_a_port_that_systemd_has_is_a_fault(secure):
    """Told with what to do, and not tried again and again."""
    installation.configure(secure, SELF_SIGNED + '[listen]\nhttp = ["127.0.0.1:80"]\n')
    assert secure.run("systemctl", "restart", UNIT, check=False).returncode != 0
    assert show(secure, "ExecMainStatus") == "78"
    assert "gatehouse.socket" in secure.log_text() and "write :80" in secure.log_text()
    installation.configure(secure, SELF_SIGNED)
    secure.run("systemctl", "restart", UNIT)


def test_a_socket_that_nothing_is_configured_for(secure):
    """A warning that says where to name it, an answer that tells nothing, and everything else goes on."""
    drop_in(secure, "more", "[Socket]\nListenStream=8081\n", unit="gatehouse.socket")
    secure.run("systemctl", "stop", UNIT)
    secure.run("systemctl", "restart", "gatehouse.socket")
    secure.run("systemctl", "start", UNIT)
    answer = get(secure, "http://127.0.0.1:8081/health")
    assert answer.status_code == 503 and "toml" not in answer.text
    assert get(secure, "https://127.0.0.1/health", headers={"Host": "gate.test"}).status_code == 200
    (warning,) = [entry for entry in log(secure) if "nothing is configured" in entry["message"]]
    assert warning["level"] == "warning" and ":8081" in warning["sockets"] and "listen.http" in warning["advice"]
    secure.path("/etc/systemd/system/gatehouse.socket.d/more.conf").unlink()
    secure.run("systemctl", "daemon-reload")
