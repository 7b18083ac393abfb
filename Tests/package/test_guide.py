"""DEPLOYMENT.md followed by hand, from the first installation to the last removal: each command of it is run in a machine, in an order that makes sense."""

from __future__ import annotations

import configparser
import dataclasses
import pathlib
import shutil
import subprocess

import guide
import installation
from machine import Machine
from packages import NEXT, package, version
from pebble import Pebble
from waiting import eventually

NAME = "app.example.com"
AUTHORITY = "/etc/gatehouse/authority.pem"


@dataclasses.dataclass(frozen=True)
class Step:
    """A command of the page. `typed`: what is typed instead, where the page has a placeholder or an end is never reached; `text`: what is typed into it."""

    command: str
    typed: str = ""
    text: str = ""
    codes: tuple[int, ...] = (0,)
    shows: str = ""
    # With the program of the machine outside, in this one's network.
    is_outside: bool = False


def bounded(seconds: float, command: str) -> str:
    return f"timeout {seconds} {command}"


KEPT = "/root/kept.tar.gz"
PASSWORD = "Correct-Horse-9-battery\n"
ANN = "ann@example.com"
OLDER = "apt install --allow-downgrades ./gatehouse_OLDER_amd64.deb"

FIRST = [
    Step("apt install ./gatehouse_*.deb", shows="public_url"),
    Step("ls -l /etc/gatehouse", shows="gatehouse.toml"),
    Step("gatehouse version", shows="gatehouse "),
    Step("gatehouse check --reference", shows="[acme]"),
]

CONFIGURED = [
    Step("gatehouse check", shows=NAME),
    Step("systemctl restart gatehouse"),
    Step("gatehouse cert status", shows=NAME),
    Step("gatehouse doctor", shows="it is this server"),
    Step("gatehouse cert renew", codes=(1,), shows="Nothing is due"),
    Step(f"gatehouse cert renew --force {NAME}", shows=NAME),
    Step(f"gatehouse user add {ANN}", text=PASSWORD),
    Step("gatehouse user set-password", typed=f"gatehouse user set-password {ANN}", text=PASSWORD),
    Step(f"gatehouse session revoke --user {ANN}"),
    Step(f"gatehouse user disable {ANN}"),
    Step("gatehouse limit list"),
    Step("gatehouse limit clear --network 203.0.113.7"),
    Step("gatehouse secret rotate"),
    Step("gatehouse reload"),
    Step("gatehouse migrate status", shows="applied"),
    Step("systemctl status gatehouse", shows=f"Serving https://{NAME}"),
    Step("systemctl status gatehouse.socket", shows="active"),
    Step("systemctl reload gatehouse"),
    Step("journalctl -u gatehouse", typed="journalctl --no-pager -u gatehouse", shows="Gatehouse"),
    Step("journalctl -u gatehouse -o cat -f", typed=bounded(1, "journalctl -u gatehouse -o cat -f"), codes=(124,), shows='"message"'),
    Step("systemd-analyze security gatehouse", shows="OK"),
    Step("ss -ltnp", is_outside=True, shows=":443"),
    Step("ss -ltnp 'sport = :80'", is_outside=True, shows=":80"),
    Step("install -m 0600 /dev/stdin /etc/gatehouse/credentials/auth.jwt_secret", text="0123456789abcdef0123456789abcdef\n"),
    Step("systemctl edit", typed="script -qec 'EDITOR=/root/edit systemctl edit gatehouse-backup.service' /dev/null"),
    Step("systemctl edit gatehouse", typed="script -qec 'EDITOR=/root/edit systemctl edit gatehouse' /dev/null"),
    Step("systemctl edit gatehouse.socket", typed="script -qec 'EDITOR=/root/edit systemctl edit gatehouse.socket' /dev/null"),
    Step("systemctl restart gatehouse"),
    Step("gatehouse backup", shows="/var/lib/gatehouse/backups/"),
    Step("gatehouse backup /mnt/usb/", typed="mkdir -m 700 /mnt/usb; gatehouse backup /mnt/usb/", shows="/mnt/usb/gatehouse-"),
    Step("gatehouse backup - | ssh nas 'cat > gatehouse.tar.gz'", typed=f"gatehouse backup - > {KEPT}; tar tzf {KEPT}", shows="gatehouse.db"),
    Step("gatehouse backup list", shows=".tar.gz"),
    Step("gatehouse backup --scheduled"),
    Step("systemctl enable --now gatehouse-backup.timer"),
    # Over, as what runs once is: that has a code of its own, see systemctl(1).
    Step("systemctl status gatehouse-backup", codes=(0, 3), shows="gatehouse-backup.timer"),
    Step("gatehouse restore --verify FILE", typed=f"gatehouse restore --verify {KEPT}"),
    Step("gzip -k", typed="echo text > /tmp/page.html; gzip -k /tmp/page.html; ls /tmp/page.html.gz /tmp/page.html"),
    Step("systemctl stop gatehouse"),
    Step("systemctl stop gatehouse.socket gatehouse.service"),
    Step("systemctl stop gatehouse.socket gatehouse"),
    Step("gatehouse migrate up|down", typed="gatehouse migrate up"),
    Step("gatehouse restore FILE", typed=f"gatehouse restore {KEPT} --data-dir /root/empty"),
    Step("gatehouse restore FILE --replace", typed=f"gatehouse restore {KEPT} --replace"),
    Step("gatehouse restore --replace /var/lib/gatehouse/backups/before-migration-…", typed=f"gatehouse restore --replace {KEPT}"),
    Step("systemctl start gatehouse.socket gatehouse"),
    Step("gatehouse user show", typed=f"gatehouse user show {ANN}", shows=ANN),
    Step("systemctl stop gatehouse.socket gatehouse.service"),
]

# The page's own configuration without the package, in a folder of its own, where nothing else has the ports.
BY_HAND = [
    Step("gatehouse doctor --config gatehouse.toml", typed="cd /root/by-hand; gatehouse doctor --config gatehouse.toml", codes=(0, 1), shows=NAME),
    Step(
        "gatehouse serve --config gatehouse.toml", typed="cd /root/by-hand; " + bounded(5, "gatehouse serve --config gatehouse.toml"), codes=(0, 124),
        shows="443"),
    Step("systemctl start gatehouse.socket gatehouse.service"),
]

LATER = [
    Step("apt upgrade", text="y\n"),
    Step(
        "apt-get install -y -o Dpkg::Options::=--force-confold ./gatehouse_*.deb",
        typed="cd /root/next; apt-get install -y -o Dpkg::Options::=--force-confold ./gatehouse_*.deb"),
    Step(OLDER, typed=OLDER.replace("OLDER", version()).replace("apt install", "apt install --yes")),
    Step("apt-get remove gatehouse", text="y\n"),
    Step("apt-get install ./gatehouse_OLDER_amd64.deb", typed=f"apt-get install ./gatehouse_{version()}_amd64.deb", text="y\n"),
    Step("apt remove gatehouse", text="y\n"),
    Step("touch /var/lib/gatehouse/remove-data-on-purge"),
    Step("apt purge gatehouse", text="y\n"),
]

ELSEWHERE = {
    "make build": "has been run: its program is what is in the package",
    "make test": "is what runs this",
    "make deb": "is scripts/build-deb, by which packages.py makes the package",
    "ufw allow Gatehouse": "its profile is looked at by test_the_firewalls_profile",
    "brotli -k": "Debian's brotli; what it leaves is served in test_site_files.py",
    "gatehouse restore FILE --identity backup-key.txt": "test_backup.py, with keys and archives of the program age",
    "gatehouse backup FILE --passphrase": "test_backup.py",
    "apt install redis-server": "the tests of Redis run Debian's, see test_redis.py",
}
# Whose commands need a server of another kind: what runs them instead.
SECTIONS = {
    "Postgres, and several instances": "test_postgres.py, which moves there and back, and the programs of Postgres itself",
    "From one server to three instances": "test_scaling_guide.py, which moves and starts what the page says; the rest is Debian's and Postgres's",
    "Upgrades and reloads": "test_instances_faults.py restarts one instance after the other, test_instances.py reloads each",
    "Adding an instance": "test_shared_secrets.py, whose second instance is given the one file",
}


def _run(machine: Machine, step: Step) -> str:
    """What is wrong with what it does, if anything."""
    command = step.typed or step.command
    if step.is_outside:
        with machine.network():
            done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=30)
    else:
        done = machine.run("sh", "-c", f"cd /root; {command}", text=step.text, check=False, within=150)
    said = done.stdout + done.stderr
    if done.returncode not in step.codes:
        return f"{command} left with {done.returncode}:\n{said[-2000:]}"
    return "" if step.shows in said else f"{command} does not show {step.shows}:\n{said[-2000:]}"


def _documented(heading: str) -> str:
    (block,) = [block for block in guide.blocks("toml") if block.heading == heading]
    return block.text


def _adapted(text: str) -> str:
    """Certificates come from an authority of the test's own, not from Let's Encrypt."""
    return text.replace(
        "[acme]\n", f'[acme]\ndirectory = "https://localhost:14000/dir"\nca_file = "{AUTHORITY}"\nstaging_directory = ""\n')


class Authority(Pebble):
    """In the machine's network, where it validates on the ports that a site has; its resolver is the machine's."""

    def __init__(self, folder: pathlib.Path):
        super().__init__(folder, 80, 443, {"PEBBLE_WFE_NONCEREJECT": "0"})
        self._dns = 53
        self.port = 14000
        self.directory = f"https://localhost:{self.port}/dir"
        self._settings["listenAddress"] = f"127.0.0.1:{self.port}"


def test_every_command_of_the_page_is_run():
    """None stands there that nothing here runs, or a test that is named."""
    named = set(guide.inline_commands(without=SECTIONS))
    for block in guide.blocks("sh"):
        if block.heading not in SECTIONS:
            named |= {" ".join(command.split()) for command in block.commands}
    run = {step.command for steps in (FIRST, CONFIGURED, BY_HAND, LATER) for step in steps}
    assert named - run - set(ELSEWHERE) == set()


def test_the_firewalls_profile():
    """ufw(8) reads it so: a title, a description, and the ports."""
    profile = configparser.ConfigParser()
    profile.read(installation.ROOT / "packaging/ufw/gatehouse")
    assert profile["Gatehouse"]["ports"] in ("80,443/tcp", "80/tcp|443/tcp") and profile["Gatehouse"]["title"]


def test_the_page_from_installation_to_removal(make_machine, tmp_path):
    machine = make_machine()
    shutil.copyfile(package(), machine.path(f"/root/{package().name}"))
    machine.path("/root/next").mkdir()
    shutil.copyfile(package(NEXT), machine.path("/root/next") / package(NEXT).name)
    machine.path("/root/edit").write_text("#!/bin/sh\nprintf '[Unit]\\nDescription=Changed\\n' > \"$1\"\n")
    machine.path("/root/edit").chmod(0o755)
    machine.path("/etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
    machine.path("/etc/hosts").write_text("127.0.0.1 localhost\n")
    machine.boot()
    wrong = [_run(machine, step) for step in FIRST]
    with machine.network():
        authority = Authority(tmp_path / "authority").start()
    try:
        shutil.copyfile(authority.root.file, machine.path(AUTHORITY))
        machine.path(AUTHORITY).chmod(0o644)
        installation.configure(machine, _adapted(_documented("Quick start")))
        for step in CONFIGURED:
            if step.command == "gatehouse cert status":
                eventually(lambda: "Pebble" in machine.run("gatehouse", "cert", "status", check=False).stdout, 60, every=0.2)
            wrong.append(_run(machine, step))
        by_hand = machine.path("/root/by-hand")
        by_hand.mkdir()
        (by_hand / "gatehouse.toml").write_text(_adapted(_documented("Without the package")).replace("/var/lib/gatehouse", "data"))
        wrong += [_run(machine, step) for step in BY_HAND + LATER]
    finally:
        authority.close()
    assert not any(wrong), "\n\n".join(filter(None, wrong))
    assert not machine.path("/var/lib/gatehouse").exists() and not machine.path("/usr/bin/gatehouse").exists()
