"""The packages that are tried, made by what `make deb` runs, from the binary that was built before."""

from __future__ import annotations

import atexit
import functools
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import tempfile

from debian import ROOT
from machine import Machine

PREVIOUS, NEXT = "0.0.9", "9.9.9"
"""Versions around any that the tree has."""


@functools.cache
def _folder() -> pathlib.Path:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-packages-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def version() -> str:
    return re.match(r"gatehouse \((.*?)\)", (ROOT / "packaging/debian/changelog").read_text())[1]


def make(out: pathlib.Path, *options: str, env: dict | None = None, within: float = 150) -> pathlib.Path:
    """A package, in a folder of its own."""
    done = subprocess.run(
        ["scripts/build-deb", "--out", str(out), *options], cwd=ROOT, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=within)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = out.glob("*.deb")
    return made


@functools.cache
def package(of: str | None = None) -> pathlib.Path:
    """The tree's package as it is, or under another version and uncompressed, which takes less time."""
    return make(_folder() / (of or "own"), *(("--version", of, "--compression", "none") if of else ()))


def install(machine: Machine, archive: pathlib.Path, *options: str, check: bool = True, within: float = 120):
    """`apt install ./gatehouse_*.deb`, as a person types it, but that nobody is there to be asked."""
    place = machine.path(f"/root/{archive.name}")
    if not place.exists():
        shutil.copyfile(archive, place)
    # What the scripts of the package say comes on standard output, whichever they wrote it to.
    return machine.run("apt-get", "install", "--yes", *options, f"/root/{archive.name}", check=check, within=within)


def migrate_beyond(machine: Machine, folder: pathlib.Path) -> None:
    """Leaves in the database what the migration of a later version would have left. Nothing may have it open.

    In a copy: SQLite does not follow the links of /proc. What is put back keeps its owner."""
    database, copy = machine.path("/var/lib/gatehouse/gatehouse.db"), folder / "gatehouse.db"
    shutil.copyfile(database, copy)
    connection = sqlite3.connect(copy)
    connection.execute("INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (999, 'later', 'x', 0)")
    connection.commit()
    connection.close()
    shutil.copyfile(copy, database)


def purge(machine: Machine):
    return machine.run("apt-get", "purge", "--yes", "gatehouse", within=90)
