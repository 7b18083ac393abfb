"""DEPLOYMENT.md about the units: each of its drop-ins is put in force, under a real systemd."""

import re

import pytest
import requests

import installation
from debian import ROOT
from service import SELF_SIGNED, UNIT, drop_in, exposure, get, main_pid, show
from waiting import eventually

SECTION = "## As a service of systemd"


def _section() -> str:
    whole = (ROOT / "DEPLOYMENT.md").read_text()
    return re.split(r"\n## ", whole[whole.index(SECTION) + len(SECTION):])[0]


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", _section(), re.S)


def _drop_ins(unit: str) -> list[str]:
    return [block for block in _blocks("ini") if ("[Socket]" in block) == unit.endswith(".socket")]


CAPABILITY = next(text for text in _drop_ins(UNIT) if "CAP_NET_BIND_SERVICE" in text)
OTHERS = [text for text in _drop_ins(UNIT) if text != CAPABILITY and "Encrypted" not in text]


@pytest.fixture(scope="module")
def booted(make_module_machine):
    machine = make_module_machine()
    installation.install(machine)
    installation.configure(machine, SELF_SIGNED)
    machine.sh("mkdir -p /mnt/backups; chown gatehouse: /mnt/backups; groupadd ssl-cert")
    machine.boot()
    eventually(lambda: show(machine, "ActiveState") == "active")
    return machine


@pytest.fixture
def edited(booted):
    """Puts a drop-in in force, and takes it away again."""
    made = []

    def edit(text, unit=UNIT):
        made.append(unit)
        drop_in(booted, "documented", text, unit)
        assert "Unknown" not in booted.run("systemctl", "status", unit, check=False).stdout
        if unit.endswith(".socket"):
            booted.run("systemctl", "stop", unit, UNIT)
        booted.run("systemctl", "restart", UNIT)
        return booted

    yield edit
    for unit in made:
        booted.path(f"/etc/systemd/system/{unit}.d/documented.conf").unlink()
    booted.run("systemctl", "daemon-reload")


def _serves(machine, host="127.0.0.1") -> bool:
    return get(machine, f"https://{host}/health", headers={"Host": "gate.test"}).status_code == 200


@pytest.mark.parametrize("text", OTHERS, ids=lambda text: re.search(r"^([A-Z]\w+)=", text, re.M).group(1))
def test_a_drop_in_is_in_force(edited, text):
    machine = edited(text)
    assert _serves(machine)
    for name, value in re.findall(r"^(\w+)=(.+)$", text, re.M):
        name = {"WatchdogSec": "WatchdogUSec"}.get(name, name)
        expected = {"60s": "1min", "2G": str(2 << 30)}.get(value, value)
        assert show(machine, name) == expected


def test_without_sockets_it_needs_one_capability(edited, booted):
    """And no more: the figure for it is told as well."""
    booted.sh("systemctl mask --now gatehouse.socket")
    machine = edited(CAPABILITY)
    status = machine.run("cat", f"/proc/{main_pid(machine)}/status").stdout
    assert int(re.search(r"^CapEff:\s+(\S+)$", status, re.M).group(1), 16) == 1 << 10
    assert _serves(machine) and get(machine, "http://127.0.0.1/").status_code == 308
    machine.run("systemctl", "stop", UNIT)
    machine.run("systemctl", "unmask", "gatehouse.socket")


def test_what_that_costs_is_told(tmp_path):
    unit = tmp_path / UNIT
    unit.write_text((ROOT / "systemd" / UNIT).read_text() + CAPABILITY)
    assert exposure(unit) == re.search(r"\(exposure ([0-9.]+)\)", _section()).group(1)


def test_other_addresses_for_the_sockets(edited, booted):
    (text,) = _drop_ins("gatehouse.socket")
    address = re.search(r"ListenStream=([0-9.]+):443", text).group(1)
    listen = '[listen]\nhttp = ["127.0.0.2:80"]\nhttps = ["127.0.0.2:443"]\n'
    installation.configure(booted, SELF_SIGNED + listen)
    machine = edited(text.replace(address, "127.0.0.2"), "gatehouse.socket")
    assert _serves(machine, "127.0.0.2")
    with pytest.raises(requests.ConnectionError):
        _serves(machine, "127.0.0.1")
    assert show(machine, "Listen", "gatehouse.socket").split("\n") == ["127.0.0.2:80 (Stream)", "127.0.0.2:443 (Stream)"]
