"""The package on a machine that runs: from the installation to the old password on a new one."""

import json

import pytest
import requests

from gate import PASSWORD, QUICK, merged, toml
from packages import NEXT, PREVIOUS, install, migrate_beyond, package, purge, version
from service import get, main_pid, show
from upgrading import Clients

URL = "https://127.0.0.1"
CONFIGURATION = "/etc/gatehouse/gatehouse.toml"
SITE = merged(QUICK, {"public_url": "https://app.example.com", "data_dir": "/var/lib/gatehouse", "tls": {"mode": "self-signed"}})
"""Ports 80 and 443, with a certificate that needs no authority."""


def _configure(machine, settings):
    machine.path(CONFIGURATION).write_text(toml(settings))


def _socket_began(machine) -> str:
    return show(machine, "ActiveEnterTimestampMonotonic", "gatehouse.socket")


def _call(machine, name, email):
    with machine.network():
        return requests.post(f"{URL}/api/v1/auth/{name}", json={"email": email, "password": PASSWORD}, verify=False, timeout=20)


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
    assert "does not run" not in said.stdout
    assert machine.run("systemctl", "is-active", "gatehouse.service", "gatehouse.socket").stdout == "active\nactive\n"
    assert get(machine, "http://127.0.0.1:8080/api/v1/health/ready").status_code == 200
    waiting = get(machine, "http://127.0.0.1/")
    assert waiting.status_code == 503 and "public_url" in waiting.text
    listening = machine.run("cat", "/proc/net/tcp", "/proc/net/tcp6").stdout.splitlines()
    ports = {line.split()[1] for line in listening if line.split()[3] == "0A"}
    assert {address for address in ports if not address.endswith((":0050", ":01BB"))} == {"0100007F:1F90"}

    machine.sh(f"""
        sed -i -e 's|^# public_url = .*|public_url = "https://app.example.com"|' -e 's|^# mode = .*|mode = "self-signed"|' {CONFIGURATION}
        gatehouse check >/dev/null
        systemctl restart gatehouse
    """)
    assert get(machine, "http://127.0.0.1/x").headers["Location"] == "https://app.example.com/x"
    answer = _call(machine, "register", "ann@example.com")
    assert answer.status_code == 201
    # Commands find the running server without being told where.
    assert "ann@example.com" in machine.run("gatehouse", "user", "list").stdout
    machine.run("gatehouse", "user", "disable", "ann@example.com")
    assert _call(machine, "login", "ann@example.com").status_code == 403


def test_an_upgrade_under_load_fails_no_request(site):
    """New connections wait in the sockets that systemd holds; those that are open are ended between two requests."""
    with Clients(site, URL) as clients:
        clients.wait_for(200)
        before, sockets = main_pid(site), _socket_began(site)
        install(site, package())
        assert site.run("systemctl", "is-active", "gatehouse.service").stdout == "active\n"
        assert main_pid(site) not in (before, 0) and _socket_began(site) == sockets
        clients.wait_for(200)
    assert clients.failures == []
    # The server before goes on until the new one is wholly there: for microseconds there was none.
    gone, back = (int(show(site, f"Inactive{moment}TimestampMonotonic")) for moment in ("Enter", "Exit"))
    assert 0 < back - gone < 500_000
    users = json.loads(site.run("gatehouse", "user", "list", "--limit", "1000", "--json").stdout)["users"]
    assert {user["email"] for user in users} == set(clients.registered) and len(clients.registered) > 3
    assert site.run("dpkg-query", "--show", "--showformat", "${Version}", "gatehouse").stdout == version()


def test_an_upgrade_that_would_refuse_the_configuration_leaves_the_server_running(site):
    """The faults are told, and the one that runs goes on."""
    before = main_pid(site)
    site.path(CONFIGURATION).write_text(toml(SITE) + "\n[nonsense]\nkey = 1\n")
    said = install(site, package())
    assert 'unknown key "nonsense' in said.stdout and "systemctl restart gatehouse" in said.stdout
    assert main_pid(site) == before
    assert get(site, f"{URL}/api/v1/health/ready").status_code == 200


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
        cat > /usr/bin/gatehouse <<'END'
#!/bin/sh
if [ "$*" = "migrate status" ]; then gatehouse.real migrate status; echo 7 later applied; else exec gatehouse.real "$@"; fi
END
        chmod 0755 /usr/bin/gatehouse
    """)
    refused = install(machine, package(), "--allow-downgrades", check=False)
    assert refused.returncode != 0 and "the database has schema 7" in " ".join((refused.stdout + refused.stderr).split())
    assert machine.run("systemctl", "is-active", "gatehouse.service").stdout == "active\n"
    assert get(machine, "http://127.0.0.1:8080/api/v1/health/ready").status_code == 200


def test_removal_ends_everything_and_reinstalling_brings_it_back(site):
    """Purged, installed again, configured again: the old password is good."""
    assert _call(site, "register", "ann@example.com").status_code == 201
    purge(site)
    units = site.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "gatehouse*").stdout
    assert units == ""
    with pytest.raises(requests.ConnectionError):
        get(site, "http://127.0.0.1/")
    assert site.run("getent", "passwd", "gatehouse", check=False).returncode == 2
    install(site, package())
    _configure(site, SITE)
    site.run("systemctl", "restart", "gatehouse.service")
    assert _call(site, "login", "ann@example.com").status_code == 200


def test_a_backup_survives_the_machine(site):
    """Backed up by hand and by the timer's service; purged with all data; installed, restored: the old password is good."""
    assert _call(site, "register", "ann@example.com").status_code == 201
    site.run("systemctl", "start", "gatehouse-backup.service")
    (nightly,) = site.path("/var/lib/gatehouse/backups").glob("gatehouse-*.tar.gz")
    site.run("gatehouse", "backup", "/root/kept.tar.gz")
    assert nightly.stat().st_uid == site.path("/var/lib/gatehouse").stat().st_uid and site.path("/root/kept.tar.gz").stat().st_uid == 0
    site.run("touch", "/var/lib/gatehouse/remove-data-on-purge")
    purge(site)
    assert not site.path("/var/lib/gatehouse").exists()

    install(site, package())
    _configure(site, SITE)
    refused = site.run("gatehouse", "restore", "--replace", "/root/kept.tar.gz", check=False)
    assert refused.returncode != 0, "a server runs"
    site.run("systemctl", "stop", "gatehouse.socket", "gatehouse.service")
    site.run("gatehouse", "restore", "--replace", "/root/kept.tar.gz")
    site.run("systemctl", "start", "gatehouse.socket", "gatehouse.service")
    assert _call(site, "login", "ann@example.com").status_code == 200


def test_the_way_back_to_a_version_that_does_not_know_the_database(make_machine, tmp_path):
    """As "Rollback" in DEPLOYMENT.md has it."""
    machine = make_machine().boot()
    install(machine, package())
    _configure(machine, SITE)
    machine.run("systemctl", "restart", "gatehouse.service")
    assert _call(machine, "register", "ann@example.com").status_code == 201
    made = json.loads(machine.run("gatehouse", "backup", "--json").stdout)["file"]
    machine.run("systemctl", "stop", "gatehouse.socket", "gatehouse.service")
    migrate_beyond(machine, tmp_path)
    assert install(machine, package(PREVIOUS), "--allow-downgrades", check=False).returncode != 0

    machine.run("apt-get", "remove", "--yes", "gatehouse")
    assert "gatehouse.service does not run" in install(machine, package(PREVIOUS)).stdout
    machine.run("systemctl", "stop", "gatehouse.socket", "gatehouse.service")
    machine.run("gatehouse", "restore", "--replace", made)
    machine.run("systemctl", "start", "gatehouse.socket", "gatehouse.service")
    assert _call(machine, "login", "ann@example.com").status_code == 200
