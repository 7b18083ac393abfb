"""Certificates from files: swapped under load, half-written, wrong; and a scanner's opinion of the whole."""

import json
import re
import subprocess
import time

import pytest

from beside import Workers
from certificates import fingerprint, new_key, pem_of, pem_of_key, replace, spki_hash
from secure import NAMES, SecureConnection, context, get, served
from waiting import eventually


def swap(server, **how):
    """A new certificate and key in the server's files; returns the certificate."""
    leaf, key = server.root.sign(NAMES, **how)
    # The order in which most tools write them: between the two, the pair does not match.
    replace(server.root.folder / "gate.key", pem_of_key(key))
    replace(server.root.folder / "gate.pem", pem_of(leaf))
    return leaf


class FullLoad(Workers):
    """Load by clients that others wrote, run after run, until it is told to end."""

    def __init__(self, server, protocol: str):
        url = f"https://gate.test:{server.https_port}/health"
        wrk = ["wrk", "-t2", "-c64", "-d2s", "-H", "Host: gate.test", f"https://127.0.0.1:{server.https_port}/health"]
        self._command = {
            # h2load ends its timed runs in the middle of requests: of a number it answers for every one.
            "h2": ["h2load", "-c64", "-m10", "-t2", f"-n{RUN}", "--connect-to", f"127.0.0.1:{server.https_port}", url],
            "http/1.1, kept alive": wrk, "http/1.1, new connections": [*wrk, "-H", "Connection: close"],
        }[protocol]
        self.outputs: list[str] = []
        super().__init__(self._run)

    def _run(self):
        while not self.stopping.is_set():
            done = subprocess.run(self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
            self.outputs.append(done.stdout)

    def __exit__(self, kind, *_):
        super().__exit__()
        if kind:
            return
        for told in self.outputs:
            if "h2load" in self._command:
                assert f"{RUN} succeeded, 0 failed, 0 errored, 0 timeout" in told and f"{RUN} 2xx" in told, told
            else:
                assert "Socket errors" not in told and "Non-2xx" not in told and int(re.search(r"(\d+) requests in", told)[1]) > 500, told


RUN = 50_000


@pytest.mark.timeout(120)
@pytest.mark.parametrize("protocol", ["http/1.1, new connections", "http/1.1, kept alive", "h2"])
def test_swapped_every_second_under_full_load(make_secure, protocol):
    """CHECKLIST 39: a new certificate is served without a restart and without dropping a connection: not one failed request."""
    server = make_secure().start()
    with FullLoad(server, protocol), SecureConnection(server.https_port, tls=context(server.ca_file), timeout=30) as old:
        for _ in range(6):
            begun = time.monotonic()
            leaf = swap(server)
            eventually(lambda leaf=leaf: fingerprint(served(server.https_port)) == fingerprint(leaf), 10)
            # A connection from before all of it.
            old.send(get())
            assert old.answer().status == 200
            time.sleep(max(0, begun + 1 - time.monotonic()))


def test_a_pair_that_does_not_match_is_not_served(make_secure):
    """CHECKLIST 39: the old one stays, the log says which file and why, and a good pair is taken afterwards."""
    server = make_secure().start()
    before = served(server.https_port)
    path = server.root.folder / "gate.key"
    broken = {
        "another key": pem_of_key(new_key()), "half a file": path.read_bytes()[:100], "empty": b"", "no PEM": b"not a key\n",
    }
    for name, content in broken.items():
        said = len(server.log_text())
        replace(path, content)
        eventually(lambda: str(path) in server.log_text()[said:] or "gate.pem" in server.log_text()[said:], 10)
        assert fingerprint(served(server.https_port)) == fingerprint(before), name
        assert "-----BEGIN" not in server.log_text()[said:], "key material in the log"
    leaf = swap(server)
    eventually(lambda: fingerprint(served(server.https_port)) == fingerprint(leaf))


def test_another_kind_of_key(make_secure):
    """P-256 to RSA and back, by the same files."""
    server = make_secure().start()
    for kind in ("rsa2048", "p256"):
        leaf = swap(server, kind=kind)
        eventually(lambda: spki_hash(served(server.https_port)) == spki_hash(leaf))
        with SecureConnection(server.https_port, tls=context(server.ca_file)) as connection:
            connection.send(get())
            assert connection.answer().status == 200


@pytest.mark.parametrize("fault", ["missing", "mismatch", "garbage"])
def test_a_wrong_pair_at_the_start_is_told(make_secure, fault):
    """Not served, not replaced by something else in silence: named, with what to do."""
    server = make_secure()
    key = server.root.folder / "gate.key"
    if fault == "missing":
        key.unlink()
    else:
        key.write_bytes(pem_of_key(new_key()) if fault == "mismatch" else b"garbage")
    server.spawn()
    assert server.wait_exit(10) in (69, 73, 77, 78)
    assert str(key) in server.log_text()


def test_self_signed(make_secure):
    """For development: HTTPS at once, with the names of public_url, said in the log; the same after a restart."""
    server = make_secure()
    server.settings["tls"] = {"mode": "self-signed"}
    server.write_config()
    server.start()
    leaf = served(server.https_port)
    assert leaf.issuer == leaf.subject and "self-signed" in server.log_text().lower()
    with SecureConnection(server.https_port) as connection:
        connection.send(get())
        assert connection.answer().status == 200


# Findings about the test's own root: no store knows it, and it revokes nothing.
ITS_OWN = ("cert_chain_of_trust", "cert_revocation", "OCSP_stapling", "DNS_CAArecord", "cert_expirationStatus")


@pytest.mark.timeout(240)
def test_a_scanner_finds_nothing(make_secure, tmp_path):
    """testssl.sh: no finding of medium or worse, and the marks that it gives for what is right."""
    server = make_secure().start()
    report = tmp_path / "report.json"
    done = subprocess.run(
        ["testssl", "--quiet", "--color", "0", "--warnings", "off", "--openssl", "/usr/bin/openssl", "--connect-timeout", "5",
         "--openssl-timeout", "5", "--nodns", "none", "--ip", "127.0.0.1", "--add-ca", str(server.ca_file), "--fast",
         "--jsonfile", str(report), "-p", "-s", "-f", "-P", "-S", "-h", "-U", f"https://gate.test:{server.https_port}/"],
        cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=220)
    told = json.loads(report.read_text())
    findings = {each["id"]: each for each in told}
    assert len(findings) > 80, done.stdout[-3000:]
    # What it marks WARN, it could not look at: Debian's OpenSSL has no RC4 to offer.
    bad = [each for each in told if each["severity"] in ("MEDIUM", "HIGH", "CRITICAL", "FATAL") and each["id"] not in ITS_OWN]
    assert bad == []
    for name in ("TLS1_2", "TLS1_3", "PFS", "cipher_order", "secure_renego", "secure_client_renego", "heartbleed", "ROBOT"):
        assert findings[name]["severity"] == "OK", findings[name]
    for name in ("SSLv2", "SSLv3", "TLS1", "TLS1_1"):
        assert findings[name]["finding"].startswith("not offered"), findings[name]
    assert server.is_running()


def test_many_swaps_leave_nothing_behind(make_secure):
    """No descriptor; and the last of them is what is served."""
    server = make_secure().start()
    swap(server)
    time.sleep(0.5)
    descriptors = server.descriptors()
    for _ in range(30):
        swap(server)
        time.sleep(0.02)
    leaf = swap(server)
    eventually(lambda: fingerprint(served(server.https_port)) == fingerprint(leaf))
    eventually(lambda: server.descriptors() <= descriptors + 2)
