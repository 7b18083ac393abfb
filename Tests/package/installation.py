"""Gatehouse in a machine, as the package puts it there."""

from __future__ import annotations

import os
import pathlib
import shutil

from debian import ROOT
from machine import Machine

BINARY = pathlib.Path(os.environ.get("GATEHOUSE_BINARY", ROOT / ".build/release/gatehouse"))
CONFIGURATION = "/etc/gatehouse/gatehouse.toml"
PACKAGED = 'data_dir = "/var/lib/gatehouse"\n'


def _put(machine: Machine, source: pathlib.Path, inside: str, mode: int) -> None:
    target = machine.path(inside)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(mode)


def configure(machine: Machine, text: str = "") -> None:
    """Writes the configuration: what the package sets, and `text`."""
    target = machine.path(CONFIGURATION)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(PACKAGED + text)
    target.chmod(0o640)
    machine.run("chgrp", "gatehouse", CONFIGURATION)


def install(machine: Machine, enable: bool = True) -> None:
    """The binary, the units, the user and the configuration. Starts nothing; what is enabled starts with the next boot."""
    _put(machine, BINARY, "/usr/bin/gatehouse", 0o755)
    for unit in sorted((ROOT / "systemd").glob("gatehouse*")):
        _put(machine, unit, f"/lib/systemd/system/{unit.name}", 0o644)
    machine.sh("systemd-sysusers -", text="u gatehouse - \"Gatehouse\" /var/lib/gatehouse /usr/sbin/nologin\n")
    machine.sh("mkdir -p -m 0700 /etc/gatehouse/credentials")
    configure(machine)
    if enable:
        machine.run("systemctl", "enable", "gatehouse.socket", "gatehouse.service", "gatehouse-backup.timer")
