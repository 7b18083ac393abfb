"""The package in a machine, and its configuration."""

from __future__ import annotations

import os
import pathlib

import packages
from debian import ROOT
from machine import Machine

BINARY = pathlib.Path(os.environ.get("GATEHOUSE_BINARY", ROOT / ".build/release/gatehouse"))
CONFIGURATION = "/etc/gatehouse/gatehouse.toml"
PACKAGED = 'data_dir = "/var/lib/gatehouse"\n'


def install(machine: Machine) -> None:
    """Starts nothing where the machine is not booted; what is enabled starts with the next boot."""
    packages.install(machine, packages.package())


def configure(machine: Machine, text: str = "") -> None:
    """What the packaged configuration sets, and `text`. The file's owner and mode stay."""
    with open(machine.path(CONFIGURATION), "w") as file:
        file.write(PACKAGED + text)
