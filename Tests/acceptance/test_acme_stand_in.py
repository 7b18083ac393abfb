"""The stand-in for an authority, held to a client that others wrote: what it asks of Gatehouse, lego can do."""

import random
import subprocess

import pytest
import requests
from cryptography import x509

from authority import STEPS
from certificates import names_of, renewal_identifier
from gate import free_port


def lego(authority, folder, http_port: int, *command: str, names=("lego.test",), **how) -> subprocess.CompletedProcess:
    arguments = ["lego", "--server", authority.directory, "--accept-tos", "--email", "lego@example.com", "--path", str(folder),
                 "--http", "--http.port", f"127.0.0.1:{http_port}"]
    for name in names:
        arguments += ["--domains", name]
    return subprocess.run(
        [*arguments, *command], env={"LEGO_CA_CERTIFICATES": str(authority.ca_file), "PATH": "/usr/bin:/bin"}, capture_output=True,
        text=True, timeout=60, **how)


# lego waits long before it tries again with a new nonce.
PATIENT = {"PEBBLE_WFE_NONCEREJECT": "0"}


@pytest.fixture
def ports():
    return free_port(), free_port()


def test_lego_gets_and_renews_a_certificate(make_authority, ports, tmp_path):
    authority = make_authority(*ports, PATIENT)
    authority.shuffled = random.Random(7)
    done = lego(authority, tmp_path / "lego", ports[0], "run", names=("lego.test", "www.lego.test"))
    assert done.returncode == 0, done.stderr
    stored = tmp_path / "lego/certificates/lego.test.crt"
    chain = x509.load_pem_x509_certificates(stored.read_bytes())
    assert names_of(chain[0]) == {"lego.test", "www.lego.test"} and len(chain) == 4
    assert list(authority.certificates) == [renewal_identifier(chain[0])]
    assert [step for step in STEPS if not authority.count(step)] in ([], ["poll"])
    again = lego(authority, tmp_path / "lego", ports[0], "renew", "--days", "4000", "--no-random-sleep", names=("lego.test",))
    assert again.returncode == 0, again.stderr
    assert len(authority.certificates) == 2
    assert authority.violations == []


def test_a_window_is_told_of_known_certificates_only(make_authority, ports, tmp_path):
    authority = make_authority(*ports, PATIENT)
    assert lego(authority, tmp_path / "lego", ports[0], "run").returncode == 0
    authority.window = lambda number: (10, 20)
    told = requests.get(authority.directory, verify=authority.ca_file, timeout=5).json()
    (identifier,) = authority.certificates
    answer = requests.get(f"{told['renewalInfo']}/{identifier}", verify=authority.ca_file, timeout=5)
    assert answer.status_code == 200 and set(answer.json()["suggestedWindow"]) == {"start", "end"} and answer.headers["Retry-After"]
    assert requests.get(f"{told['renewalInfo']}/x.y", verify=authority.ca_file, timeout=5).status_code == 404
    assert any("RFC 9773" in each for each in authority.violations)


def test_a_fault_befalls_one_request(make_authority, ports, tmp_path):
    authority = make_authority(*ports, PATIENT)
    authority.fail("order", status=503, retry_after="1")
    assert lego(authority, tmp_path / "lego", ports[0], "run").returncode != 0
    assert lego(authority, tmp_path / "lego", ports[0], "run").returncode == 0
    authority.go()
    assert lego(authority, tmp_path / "lego", ports[0], "renew", "--days", "4000", "--no-random-sleep").returncode != 0
    authority.come()
    assert lego(authority, tmp_path / "lego", ports[0], "renew", "--days", "4000", "--no-random-sleep").returncode == 0
