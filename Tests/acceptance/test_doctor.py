"""`gatehouse doctor`: what stands between clients and this server, and what to do, on a machine with real trouble."""

import http.server
import json
import os
import threading

from ordering import NAME, ports
from waiting import eventually


class Stranger(http.server.BaseHTTPRequestHandler):
    """Refuses every method, without a word about it."""

    def log_message(self, *_):
        pass


def examine(server) -> tuple[int, list[dict]]:
    """Its exit code and findings. Whoever is told of a problem is told what to do."""
    options = ["--resolver", server.authority.pebble.resolver_address, "--http-port", str(server.http_port), "--https-port", str(server.https_port)]
    done = server.run("doctor", "--json", *options, within=60)
    report = json.loads(done.stdout)
    assert report["healthy"] == (done.returncode == 0) and done.returncode in (0, 1), (done.returncode, done.stderr)
    assert all(each["advice"] for each in report["findings"] if each["status"] == "problem"), report
    return done.returncode, report["findings"]


def problems(findings: list[dict]) -> list[tuple[str, str]]:
    return [(each["about"], each["check"]) for each in findings if each["status"] == "problem"]


def seen(findings: list[dict], check: str, about: str | None = None) -> str:
    return "\n".join(
        f"{each['seen']} {each['advice'] or ''}" for each in findings if each["check"] == check and about in (None, each["about"]))


def test_nothing_is_wrong_with_a_server_that_works(make_ordering):
    server = make_ordering().start()
    server.wait_trusted()
    code, findings = examine(server)
    assert code == 0, problems(findings)
    assert "gatehouse runs" in seen(findings, "server")
    for port in (server.http_port, server.https_port):
        assert "it is this server" in seen(findings, f"port {port}", NAME)
    assert "Pebble" in seen(findings, f"port {server.https_port}", NAME) and "expires in" in seen(findings, "validity")
    # For people, the same.
    text = server.run("doctor", "--resolver", server.authority.pebble.resolver_address).stdout
    assert "\n  ok " in text and text.rstrip().endswith(".")


def test_why_a_certificate_does_not_come(make_ordering):
    """The authority refuses the name: its problem document, in plain words and in its own."""
    server = make_ordering(pebble={"domainBlocklist": [NAME]}).start()
    eventually(server.problem)
    code, findings = examine(server)
    assert code == 1
    told = seen(findings, "last try")
    assert NAME in told and "refuse" in told.lower() and "gatehouse cert renew" in told, told
    assert ("the certificate", "validity") in problems(findings)


def test_what_keeps_clients_away(make_ordering):
    """Another program on the port, a stale AAAA record, name servers that fail, all before the first start."""
    where = ports()
    stranger = http.server.ThreadingHTTPServer(("127.0.0.1", where[0]), Stranger)
    threading.Thread(target=stranger.serve_forever, daemon=True).start()
    try:
        server = make_ordering({"acme": {"domains": [NAME, "www.gate.test"], "challenges": ["http-01"]}}, at=where)
        server.authority.pebble.resolver("add-aaaa", host=NAME, addresses=["2001:db8::5"])
        server.authority.pebble.resolver("set-servfail", host="www.gate.test")
        code, findings = examine(server)
    finally:
        stranger.shutdown()
        stranger.server_close()
    assert code == 1
    assert "2001:db8::5 does not lead here" in seen(findings, "DNS", NAME)
    assert "SERVFAIL" in seen(findings, "DNS", "www.gate.test") and "SERVFAIL" in seen(findings, "CAA", "www.gate.test")
    us = f"(process {os.getpid()})"
    assert us in seen(findings, "listen") and us in seen(findings, f"port {where[0]}", NAME)
    assert not server.data.exists(), "it changes nothing"


def test_an_authority_that_cannot_be_trusted(make_ordering, tmp_path):
    server = make_ordering()
    settings = server.config.read_text().replace(str(server.authority.ca_file), "/etc/ssl/certs/ca-certificates.crt")
    server.config.write_text(settings)
    _, findings = examine(server)
    assert ("the certificate authority", "directory") in problems(findings)
    assert "acme.ca_file" in seen(findings, "directory")


def test_it_says_nothing_secret_and_refuses_a_faulty_configuration(quick):
    done = quick.run("doctor", "--json")
    assert done.returncode == 0, done.stdout
    for line in (quick.data / "secrets.toml").read_text().splitlines():
        secret = line.partition('"')[2].strip('"')
        assert len(secret) < 20 or secret not in done.stdout + quick.run("doctor").stdout
    quick.config.write_text("nonsense = 1")
    assert quick.run("doctor").returncode == 78
