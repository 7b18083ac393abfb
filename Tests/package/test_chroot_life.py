"""The package on a machine that runs: from the installation to the old password on a new one."""

import json

import pytest
import requests
import urllib3

from gate import PASSWORD, QUICK, merged, toml
from packages import NEXT, PREVIOUS, install, package, purge, version
from upgrading import Clients

urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

URL = "https://127.0.0.1"
CONFIGURATION = "/etc/gatehouse/gatehouse.toml"
SITE = merged(QUICK, {"public_url": "https://app.example.com", "data_dir": "/var/lib/gatehouse", "tls": {"mode": "self-signed"}})
"""Ports 80 and 443, with a certificate that needs no authority."""


def _ask(machine, method, url, **more):
    with machine.network():
        return requests.request(method, url, verify=False, timeout=20, allow_redirects=False, **more)


def _configure(machine, settings):
    machine.path(CONFIGURATION).write_text(toml(settings))


def _main_process(machine) -> str:
    return machine.run("systemctl", "show", "--property", "MainPID", "--value", "gatehouse.service").stdout.strip()


def _socket_began(machine) -> str:
    return machine.run("systemctl", "show", "--property", "ActiveEnterTimestampMonotonic", "--value", "gatehouse.socket").stdout


def _register(machine, email):
    return _ask(machine, "POST", f"{URL}/api/v1/auth/register", json={"email": email, "password": PASSWORD})


def _log_in(machine, email):
    return _ask(machine, "POST", f"{URL}/api/v1/auth/login", json={"email": email, "password": PASSWORD})


@pytest.fixture
def site(make_machine):
    """A machine with the previous package, and a site that serves."""
    machine = make_machine().boot()
    install(machine, package(PREVIOUS))
    _configure(machine, SITE)
    machine.run("systemctl", "restart", "gatehouse.service")
    return machine


def test_an_installed_package_serves_a_safe_default_until_three_lines_are_edited(make_machine):
    """As a person does it: install, edit, restart; nothing is open to the world before."""
    machine = make_machine().boot()
    said = install(machine, package())
    assert "does not run" not in said.stderr
    assert machine.run("systemctl", "is-active", "gatehouse.service", "gatehouse.socket").stdout == "active\nactive\n"
    assert _ask(machine, "GET", "http://127.0.0.1:8080/api/v1/health/ready").status_code == 200
    waiting = _ask(machine, "GET", "http://127.0.0.1/")
    assert waiting.status_code == 503 and "public_url" in waiting.text
    listening = machine.run("cat", "/proc/net/tcp", "/proc/net/tcp6").stdout.splitlines()
    ports = {line.split()[1] for line in listening if line.split()[3] == "0A"}
    assert {address for address in ports if not address.endswith((":0050", ":01BB"))} == {"0100007F:1F90"}

    machine.sh(f"""
        sed -i -e 's|^# public_url = .*|public_url = "https://app.example.com"|' -e 's|^# mode = .*|mode = "self-signed"|' {CONFIGURATION}
        gatehouse check >/dev/null
        systemctl restart gatehouse
    """)
    assert _ask(machine, "GET", "http://127.0.0.1/x").headers["Location"] == "https://app.example.com/x"
    answer = _register(machine, "ann@example.com")
    assert answer.status_code == 201
    # Commands find the running server without being told where.
    assert "ann@example.com" in machine.run("gatehouse", "user", "list").stdout
    machine.run("gatehouse", "user", "disable", "ann@example.com")
    assert _log_in(machine, "ann@example.com").status_code == 403


def test_an_upgrade_under_load_fails_no_request(site):
    """New connections wait in the sockets that systemd holds; those that are open are ended between two requests."""
    with Clients(site, URL) as clients:
        clients.wait_for(200)
        before, sockets = _main_process(site), _socket_began(site)
        install(site, package())
        assert site.run("systemctl", "is-active", "gatehouse.service").stdout == "active\n"
        assert _main_process(site) not in (before, "0") and _socket_began(site) == sockets
        clients.wait_for(200)
    assert clients.failures == []
    assert clients.slowest < 10
    users = json.loads(site.run("gatehouse", "user", "list", "--limit", "1000", "--json").stdout)["users"]
    assert {user["email"] for user in users} == set(clients.registered) and len(clients.registered) > 3
    assert site.run("dpkg-query", "--show", "--showformat", "${Version}", "gatehouse").stdout == version()


def test_an_upgrade_that_would_refuse_the_configuration_leaves_the_server_running(site):
    """The faults are told, and the one that runs goes on."""
    before = _main_process(site)
    site.path(CONFIGURATION).write_text(toml(SITE) + "\n[nonsense]\nkey = 1\n")
    said = install(site, package())
    assert 'unknown key "nonsense"' in said.stderr and "systemctl restart gatehouse" in said.stderr
    assert _main_process(site) == before
    assert _ask(site, "GET", f"{URL}/api/v1/health/ready").status_code == 200


def test_an_upgrade_starts_no_service_that_the_operator_has_disabled(site):
    site.run("systemctl", "disable", "--now", "gatehouse.service", "gatehouse.socket", "gatehouse-backup.timer")
    install(site, package())
    for unit in ("gatehouse.service", "gatehouse.socket", "gatehouse-backup.timer"):
        assert site.run("systemctl", "is-active", unit, check=False).stdout == "inactive\n", unit
        assert site.run("systemctl", "is-enabled", unit, check=False).stdout == "disabled\n", unit


def test_a_refused_downgrade_leaves_the_server_running(make_machine):
    """The installed program is asked while its server runs; here it is made to know of a schema that this one does not."""
    machine = make_machine().boot()
    install(machine, package(NEXT))
    machine.sh("""
        mv /usr/bin/gatehouse /usr/bin/gatehouse.real
        printf '#!/bin/sh\\n/usr/bin/gatehouse.real "$@" && if [ "$*" = "migrate status" ]; then echo "7  later  applied"; fi\\n' > /usr/bin/gatehouse
        chmod 0755 /usr/bin/gatehouse
    """)
    refused = install(machine, package(), "--allow-downgrades", check=False)
    assert refused.returncode != 0 and "the database has schema 7" in " ".join((refused.stdout + refused.stderr).split())
    assert machine.run("systemctl", "is-active", "gatehouse.service").stdout == "active\n"
    assert _ask(machine, "GET", "http://127.0.0.1:8080/api/v1/health/ready").status_code == 200


def test_removal_ends_everything_and_reinstalling_brings_it_back(site):
    """Purged, installed again, configured again: the old password is good."""
    assert _register(site, "ann@example.com").status_code == 201
    purge(site)
    assert site.run("pgrep", "-x", "gatehouse", check=False).stdout == "" if site.path("/usr/bin/pgrep").exists() else True
    units = site.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "gatehouse*").stdout
    assert units == ""
    with pytest.raises(requests.ConnectionError):
        _ask(site, "GET", "http://127.0.0.1/")
    assert site.run("getent", "passwd", "gatehouse", check=False).returncode == 2
    install(site, package())
    _configure(site, SITE)
    site.run("systemctl", "restart", "gatehouse.service")
    assert _log_in(site, "ann@example.com").status_code == 200
