"""The two doors as an operator meets them: what plain HTTP answers, certificates without an authority, and the commands about them."""

import json
import subprocess

import pytest

from certificates import fingerprint
from secure import served


def curl(server, *options: str) -> str:
    resolve = [word for port in (server.port, server.https_port) for word in ("--resolve", f"gate.test:{port}:127.0.0.1")]
    return subprocess.run(["curl", "-s", "--max-time", "10", *resolve, *options], capture_output=True, text=True, check=True).stdout


def self_signed(server):
    server.settings["tls"] = {"mode": "self-signed"}
    server.write_config()
    return server


def test_self_signed_stays_over_restarts(make_secure):
    server = self_signed(make_secure()).start()
    before = fingerprint(served(server.https_port))
    (certificate,) = server.run_json("cert", "status")["certificates"]
    assert certificate["source"] == "self-signed" and certificate["status"] == "valid" and certificate["names"] == ["gate.test"]
    assert certificate["fingerprint"] == before
    assert '"status":"ok"' in curl(server, "-k", f"{server.public_url}/health")
    assert server.restart() and fingerprint(served(server.https_port)) == before
    renewal = server.run("cert", "renew")
    assert renewal.returncode == 1 and "self-signed" in renewal.stderr
    server.stop()
    assert server.run_json("cert", "status")["certificates"][0]["fingerprint"] == before, "without a server, from the data folder"


def test_a_redirected_request_keeps_method_and_body(make_secure):
    server = make_secure().start()
    answer = curl(
        server, "-L", "--cacert", str(server.ca_file), "-w", "\n%{http_code} %{num_redirects} %{scheme}", "-H", "Content-Type: application/json",
        "-d", json.dumps({"email": server.address(), "password": "Correct-Horse-9-battery"}),
        f"http://gate.test:{server.port}/api/v1/auth/register")
    body, told = answer.rsplit("\n", 1)
    assert told.split()[:2] == ["201", "1"] and told.split()[2].upper() == "HTTPS", answer
    assert json.loads(body)["access_token"]


def test_without_the_redirect_plain_http_serves(make_secure):
    server = make_secure({"tls": {"redirect": False}}).start()
    answer = server.call("GET", "/api/v1/auth/me")
    assert answer.status_code == 401 and "Strict-Transport-Security" not in answer.headers


def test_minimum_version(make_secure):
    server = make_secure({"tls": {"min_version": "1.3"}}).start()
    curl(server, "--cacert", str(server.ca_file), f"{server.public_url}/health")
    with pytest.raises(subprocess.CalledProcessError):
        curl(server, "--cacert", str(server.ca_file), "--tls-max", "1.2", f"{server.public_url}/health")


def test_check_reads_the_files(make_secure):
    server = make_secure()
    assert server.run("check").returncode == 0
    (server.root.folder / "gate.key").write_text("x")
    done = server.run("check")
    assert done.returncode == 78 and str(server.root.folder / "gate.key") in done.stderr


def test_files_in_status_and_metrics(make_secure):
    server = make_secure().start()
    (certificate,) = server.run_json("cert", "status")["certificates"]
    assert certificate["source"] == "files" and certificate["status"] == "valid" and certificate["last_problem"] is None
    text = curl(server, "--unix-socket", str(server.data / "admin.sock"), "http://localhost/metrics")
    assert 'gatehouse_certificate_expiry_seconds{name="gate.test"}' in text
    assert 'gatehouse_http_connections{scheme="https",version="2"}' in text
    assert server.call("GET", "/api/v1/health").json()["checks"]["certificate"]["status"] == "healthy"
