"""Under a real systemd on machines that lack something."""

import pytest

import installation
from service import LOCAL, SELF_SIGNED, UNIT, answers, drop_in, get, log, show
from waiting import eventually

SECURE = "https://127.0.0.1/health"


@pytest.fixture
def installed(make_machine):
    machine = make_machine()
    installation.install(machine)
    return machine


def _boot(machine):
    machine.boot()
    eventually(lambda: show(machine, "ActiveState") != "activating", within=20)


def test_without_ipv6(installed):
    """CHECKLIST 55: the kernel offers none to the server, whether every address or those of both protocols are named."""
    drop_in(installed, "no-ipv6", "[Service]\nRestrictAddressFamilies=\nRestrictAddressFamilies=AF_UNIX AF_INET\n")
    installation.configure(installed, 'listen.http = ["0.0.0.0:8080", "[::]:8080", ":8082"]\n')
    _boot(installed)
    assert show(installed, "ActiveState") == "active"
    assert answers(installed) and answers(installed, "http://127.0.0.1:8082/health")
    (warning,) = [entry for entry in log(installed) if "no IPv6" in entry["message"]]
    assert warning["address"] == "[::]:8080"


def test_with_ipv6_switched_off(installed):
    """CHECKLIST 55: as administrators do it, by sysctl, with the sockets of systemd."""
    folder = installed.path("/etc/sysctl.d")
    folder.mkdir(exist_ok=True)
    (folder / "no-ipv6.conf").write_text("net.ipv6.conf.all.disable_ipv6 = 1\n")
    installation.configure(installed, SELF_SIGNED)
    _boot(installed)
    assert installed.run("cat", "/proc/sys/net/ipv6/conf/all/disable_ipv6").stdout == "1\n"
    assert show(installed, "ActiveState") == "active"
    assert get(installed, SECURE, headers={"Host": "gate.test"}).status_code == 200


def test_with_nothing_executable_in_tmp(installed):
    """CHECKLIST 55: /tmp and /var/tmp are mounted noexec."""
    drop_in(installed, "noexec", "[Service]\nPrivateTmp=no\nNoExecPaths=/tmp /var/tmp\n")
    _boot(installed)
    assert show(installed, "ActiveState") == "active" and answers(installed)


def test_with_port_80_taken(installed):
    """Another server has it: Gatehouse starts nevertheless, and where it needs the port it says so."""
    other = installed.path("/etc/systemd/system/other.socket")
    other.write_text("[Socket]\nListenStream=80\nAccept=yes\n[Install]\nWantedBy=sockets.target\n")
    installed.path("/etc/systemd/system/other@.service").write_text("[Service]\nExecStart=/bin/true\n")
    drop_in(installed, "later", "[Unit]\nAfter=other.socket\n", unit="gatehouse.socket")
    installed.run("systemctl", "enable", "other.socket")
    _boot(installed)
    assert show(installed, "ActiveState", "gatehouse.socket") == "failed"
    assert show(installed, "ActiveState") == "active" and answers(installed, LOCAL + "/health")
    installation.configure(installed, SELF_SIGNED)
    installed.run("systemctl", "restart", "--no-block", UNIT)
    eventually(lambda: "systemctl status gatehouse.socket" in installed.log_text(), within=20)
    installed.run("systemctl", "stop", "other.socket")
    eventually(lambda: show(installed, "ActiveState") == "active", within=20)
    assert get(installed, SECURE, headers={"Host": "gate.test"}).status_code == 200, "it takes the port by itself once that is free"
