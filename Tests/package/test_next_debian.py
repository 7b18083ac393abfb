"""The same package on Debian 13: another systemd, and libraries under other names."""

import debian
import installation
from gate import QUICK, merged, toml
from packages import PREVIOUS, install, package, purge
from service import UNIT, answers, get, main_pid, show
from upgrading import Clients

URL = "https://127.0.0.1"
SITE = merged(QUICK, {"public_url": "https://app.example.com", "tls": {"mode": "self-signed"}})


def test_installed_started_and_upgraded(make_machine):
    """It starts at the installation, serves while it is upgraded, keeps its accounts, and leaves when it is told to."""
    machine = make_machine(debian.NEXT_STABLE).boot()
    assert "VERSION_CODENAME=trixie" in machine.path("/etc/os-release").read_text()
    install(machine, package(PREVIOUS))
    assert machine.run("systemctl", "is-active", UNIT, "gatehouse.socket").stdout == "active\nactive\n"
    assert get(machine, "http://127.0.0.1/").status_code == 503, "the page that tells what to set"
    installation.configure(machine, toml(SITE))
    machine.run("systemctl", "restart", UNIT)
    assert answers(machine, URL + "/api/v1/health/ready")
    with Clients(machine, URL) as clients:
        clients.wait_for(50)
        before = main_pid(machine)
        install(machine, package())
        assert main_pid(machine) not in (before, 0)
        clients.wait_for(50)
    assert clients.failures == [] and clients.registered
    assert clients.registered[0] in machine.run("gatehouse", "user", "list").stdout
    assert show(machine, "NRestarts") == "0"
    purge(machine)
    assert show(machine, "LoadState") == "not-found"
