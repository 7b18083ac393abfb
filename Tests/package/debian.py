"""The Debian 12 and 13 that packages are tried in: each made once by debootstrap, and never written to afterwards."""

from __future__ import annotations

import fcntl
import os
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".build/package-test"
STABLE, NEXT_STABLE = "bookworm", "trixie"
# What a minimal server has, and what the package depends on: it is installed without a network.
PACKAGES = ["systemd", "systemd-sysv", "zlib1g", "ca-certificates", "openssl", "adduser", "init-system-helpers"]
TLS_LIBRARY = {STABLE: "libssl3", NEXT_STABLE: "libssl3t64"}


def _mirror() -> list[str]:
    """The archive that this machine installs from; none leaves it to debootstrap."""
    if named := os.environ.get("GATEHOUSE_DEBIAN_MIRROR"):
        return [named]
    known = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages", "Component: main"],
        capture_output=True, text=True)
    return [uri for release, uri in (line.split() for line in known.stdout.splitlines()) if release in TLS_LIBRARY][:1]


def tree(release: str = STABLE) -> pathlib.Path:
    """Its folder. Takes a minute the first time, and nothing while the recipe stays the same; several may ask at once."""
    packages = [*PACKAGES, TLS_LIBRARY[release]]
    made, recipe = FOLDER / release, f"{release} {' '.join(packages)} without resolv.conf\n"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(FOLDER / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        marker = FOLDER / f"{release}.recipe"
        if made.is_dir() and marker.exists() and marker.read_text() == recipe:
            return made
        marker.unlink(missing_ok=True)
        shutil.rmtree(made, ignore_errors=True)
        # What it mounts in the tree goes with its namespace, also where it fails.
        done = subprocess.run(
            ["unshare", "--mount", "debootstrap", "--variant=minbase", f"--include={','.join(packages)}", release, str(made), *_mirror()],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
        if done.returncode:
            raise RuntimeError(f"debootstrap left with {done.returncode}:\n{done.stdout[-4000:]}")
        for unneeded in [*(made / "var/cache/apt/archives").glob("*.deb"), made / "etc/resolv.conf"]:
            unneeded.unlink(missing_ok=True)
        marker.write_text(recipe)
        return made
