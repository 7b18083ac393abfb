"""The unit files by themselves: what systemd's own tools say of them."""

import re
import subprocess

import pytest

from debian import ROOT
from installation import install

SERVICES = ["gatehouse.service", "gatehouse-backup.service"]
MOST = 1.5


@pytest.mark.parametrize("unit", SERVICES)
def test_exposure(unit):
    """`systemd-analyze security` is at 1.5 or better, and DEPLOYMENT.md tells the figure."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={int(MOST * 10)}", "--no-pager", str(ROOT / "systemd" / unit)],
        capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    figure = re.search(r"Overall exposure level for \S+: (\S+)", done.stdout).group(1)
    assert float(figure) <= MOST
    told = dict(re.findall(r"\| `(gatehouse[a-z-]*\.service)` \| ([0-9.]+) \|", (ROOT / "DEPLOYMENT.md").read_text()))
    assert told[unit] == figure


def test_systemd_252_knows_every_line(make_machine):
    """Debian 12's own systemd reads them without a word."""
    machine = make_machine()
    install(machine)
    done = machine.run("sh", "-c", "systemd-analyze verify --man=no /lib/systemd/system/gatehouse*", check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
