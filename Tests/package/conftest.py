"""Fixtures: machines that end with their test or module, and whose journal is shown when it fails."""

import os
import pathlib
import sys

import pytest

# What the acceptance tests have for asking a server is used here too.
sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "acceptance"))

import debian  # noqa: E402
from installation import BINARY  # noqa: E402
from machine import Machine  # noqa: E402
from namespaces import ControlGroups  # noqa: E402


def pytest_sessionstart(session):
    if os.geteuid() != 0:
        pytest.exit("the package tests need root: they mount, and boot machines", returncode=3)
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is missing: run 'make build' first", returncode=3)
    ControlGroups.remove_abandoned()
    for console in debian.FOLDER.glob("console-*.log"):
        if not pathlib.Path(f"/proc/{console.name.split('-')[1]}").exists():
            console.unlink()
    # Before the first test, whose time it would count for.
    for release in (debian.STABLE, debian.NEXT_STABLE):
        debian.tree(release)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            for machine in value if isinstance(value, list) else [value]:
                if isinstance(machine, Machine):
                    report.sections.append((f"journal of {name}", machine.log_text()[-8000:]))
    return report


def _made(machines):
    def make(release: str = debian.STABLE) -> Machine:
        machines.append(Machine(release))
        return machines[-1]

    return make


@pytest.fixture
def make_machine():
    """Makes machines, each a fresh copy of Debian, to be used as a chroot or booted: `make_machine().boot()`."""
    machines: list[Machine] = []
    yield _made(machines)
    for machine in machines:
        machine.close()


@pytest.fixture(scope="module")
def make_module_machine():
    """The same, for machines that a module's tests share."""
    machines: list[Machine] = []
    yield _made(machines)
    for machine in machines:
        machine.close()
