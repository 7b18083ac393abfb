"""The unit in a booted machine: its state, and requests to it from inside."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess

import requests

from machine import Machine

UNIT = "gatehouse.service"
LOCAL = "http://127.0.0.1:8080"
# Nothing but loopback is there: sites have it too.
SELF_SIGNED = 'public_url = "https://gate.test"\n[tls]\nmode = "self-signed"\n'


def show(machine: Machine, name: str, unit: str = UNIT) -> str:
    return machine.run("systemctl", "show", f"--property={name}", "--value", unit).stdout.strip()


def main_pid(machine: Machine, unit: str = UNIT) -> int:
    """As it is numbered inside."""
    return int(show(machine, "MainPID", unit))


def signal(machine: Machine, name: str) -> None:
    machine.sh(f"kill -{name} {main_pid(machine)}")


def get(machine: Machine, url: str, **more) -> requests.Response:
    """One request from inside the machine's network."""
    with machine.network():
        return requests.get(url, timeout=10, verify=False, allow_redirects=False, **more)


def answers(machine: Machine, url: str = LOCAL + "/api/v1/health/ready") -> bool:
    try:
        return get(machine, url).status_code == 200
    except requests.ConnectionError:
        return False


def drop_in(machine: Machine, name: str, text: str, unit: str = UNIT) -> None:
    """A file beside the unit that changes it, as `systemctl edit` makes it. In force from the unit's next start on."""
    folder = machine.path(f"/etc/systemd/system/{unit}.d")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.conf").write_text(text)
    if machine.is_booted:
        machine.run("systemctl", "daemon-reload")


def journal(machine: Machine, *options: str) -> list[dict]:
    """Entries of the unit, as journald keeps them."""
    lines = machine.run("journalctl", "--no-pager", "--output=json", f"--unit={UNIT}", *options).stdout.splitlines()
    return [json.loads(line) for line in lines]


def lines(machine: Machine) -> list[str]:
    """What the server has printed: without the reports of systemd, and of commands that systemd started beside it.

    Where a test machine cannot raise limits, the runtime complains about niceness to syslog(3): that is no line of the server's either."""
    entries = [entry for entry in journal(machine) if entry["_TRANSPORT"] == "stdout"]
    servers = {entry["_PID"] for entry in entries if '"message":' in entry["MESSAGE"]}
    return [entry["MESSAGE"] for entry in entries if entry["_PID"] in servers]


def log(machine: Machine) -> list[dict]:
    """Its log; why it could not start too."""
    return [json.loads(line) for line in lines(machine) if line.startswith("{")]


def exposure(unit: pathlib.Path) -> str:
    """The figure of `systemd-analyze security`, from 10 to 0."""
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return re.search(r"Overall exposure level for \S+: (\S+)", done.stdout).group(1)
