"""The unit files by themselves: what systemd's own tools say of them."""

import re

import pytest

from debian import ROOT
from installation import install
from service import exposure

SERVICES = ["gatehouse.service", "gatehouse-backup.service"]


@pytest.mark.parametrize("unit", SERVICES)
def test_exposure(unit):
    """1.5 or better, and DEPLOYMENT.md tells the figure."""
    figure = exposure(ROOT / "systemd" / unit)
    assert float(figure) <= 1.5
    told = dict(re.findall(r"\| `(gatehouse[a-z-]*\.service)` \| ([0-9.]+) \|", (ROOT / "DEPLOYMENT.md").read_text()))
    assert told[unit] == figure


def test_systemd_252_knows_every_line(make_machine):
    """Debian 12's own systemd reads them without a word."""
    machine = make_machine()
    install(machine)
    done = machine.run("sh", "-c", "systemd-analyze verify --man=no /lib/systemd/system/gatehouse*", check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
