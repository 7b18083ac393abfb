"""A machine of a test's own: a copy of the Debian tree, which is used as a chroot or booted with its own systemd."""

from __future__ import annotations

import contextlib
import itertools
import os
import pathlib
import select
import shlex
import signal
import subprocess
import sys
import time

import debian
from namespaces import ControlGroups, network_of

HERE = pathlib.Path(__file__).resolve().parent
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
}
_numbers = itertools.count(1)


def _children(pid: int) -> list[int]:
    return [int(child) for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children") for child in task.read_text().split()]


class Machine:
    """Everything of it, its mounts, processes and what it wrote, is in namespaces that end with one process, and that one with the tests.

    It has a network of its own with nothing but loopback: `with machine.network():` is in it."""

    def __init__(self, release: str = debian.STABLE):
        self._point = debian.FOLDER / "mount"
        self._tree = debian.tree(release)
        self._point.mkdir(exist_ok=True)
        number = next(_numbers)
        self.console = debian.FOLDER / f"console-{os.getpid()}-{number}.log"
        self._groups = ControlGroups(str(number))
        self._leader: int | None = None
        reading, writing = os.pipe()

        def prepare():
            self._groups.enter()
            os.dup2(writing, 3, inheritable=True)

        with open(self.console, "wb") as console:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc",
                 sys.executable, str(HERE / "init.py"), str(self._tree), str(self._point)],
                stdin=subprocess.PIPE, stdout=console, stderr=subprocess.STDOUT, close_fds=False, preexec_fn=prepare)
        os.close(writing)
        self._said = open(reading, "rb", buffering=0)
        try:
            self._expect("mounted", 30)
            self._init = _children(self._process.pid)[0]
        except BaseException:
            self.close()
            raise

    # Its life

    def _say(self, word: str) -> None:
        self._process.stdin.write(word.encode() + b"\n")
        self._process.stdin.flush()

    def _expect(self, word: str, within: float) -> None:
        ready, _, _ = select.select([self._said], [], [], within)
        said = self._said.readline().decode().strip() if ready else "nothing"
        assert said == word, f"the machine said {said!r}, not {word!r}:\n{self.console.read_text(errors='replace')[-4000:]}"

    def boot(self, within: float = 30) -> "Machine":
        """Starts its systemd, and waits until that has started what it starts."""
        self._say("boot")
        deadline = time.monotonic() + within
        state = ""
        while state not in ("running", "degraded"):
            assert time.monotonic() < deadline, f"not booted within {within} s ({state}):\n{self.console.read_text(errors='replace')[-4000:]}"
            if self._leader is None:
                self._leader = self._find_leader()
            else:
                done = self.run("systemctl", "is-system-running", check=False)
                state = done.stdout.strip()
            time.sleep(0.02)
        return self

    def _find_leader(self) -> int | None:
        """PID 1 of the container, once it is systemd."""
        with contextlib.suppress(OSError):
            for nspawn in _children(self._init):
                for child in _children(nspawn):
                    if pathlib.Path(f"/proc/{child}/comm").read_text() == "systemd\n":
                        return child
        return None

    def power_off(self, within: float = 60) -> None:
        """An orderly shutdown. What was written stays, and it can be booted again."""
        self.run("systemctl", "poweroff", check=False)
        self._leader = None
        self._expect("ended", within)

    def close(self) -> None:
        """Kills everything in it, and returns when that is gone."""
        if self._process.poll() is None:
            for pid in _children(self._process.pid) or [self._process.pid]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait(30)
        self._process.stdin.close()
        self._said.close()
        self._groups.remove()
        self.console.unlink(missing_ok=True)

    # Inside

    @property
    def is_booted(self) -> bool:
        return self._leader is not None

    @property
    def pid(self) -> int:
        """A process in it, as it is numbered outside."""
        return self._leader or self._init

    def path(self, inside: str) -> pathlib.Path:
        """A file in it, as it is named outside. No absolute symbolic link may be on the way: it would lead outside."""
        if self._leader:
            return pathlib.Path(f"/proc/{self._leader}/root") / inside.lstrip("/")
        return pathlib.Path(f"/proc/{self._init}/root{self._point}/root") / inside.lstrip("/")

    def _entered(self, command: tuple[str, ...]) -> list[str]:
        clean = ["env", "-i", *(f"{name}={value}" for name, value in ENVIRONMENT.items()), *command]
        if self._leader:
            # That of the cgroups is left alone: what is run from outside is no part of a service.
            return ["nsenter", f"--target={self._leader}", "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd", *clean]
        return ["nsenter", f"--target={self._init}", "--mount", "--net", "--pid", "chroot", f"{self._point}/root", *clean]

    def run(self, *command: str, text: str | None = None, check: bool = True, within: float = 60) -> subprocess.CompletedProcess:
        """A command as root; fails the test where it fails, unless `check` is off. `text` goes to its standard input."""
        done = subprocess.run(self._entered(command), input=text or "", capture_output=True, text=True, timeout=within)
        assert not check or done.returncode == 0, f"{shlex.join(command)} left with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done

    def sh(self, script: str, **more) -> str:
        """What a shell script, which stops at the first failure, prints."""
        return self.run("sh", "-euc", script, **more).stdout

    def start(self, *command: str, **more) -> subprocess.Popen:
        """A command that goes on beside the test; it ends with the machine at the latest."""
        return subprocess.Popen(self._entered(command), **{"stdin": subprocess.DEVNULL, **more})

    def network(self):
        """Sockets that this thread makes meanwhile are in the machine's network."""
        return network_of(self.pid)

    def log_text(self) -> str:
        """The whole journal, and the console's text where there is none."""
        if self._leader is None:
            return self.console.read_text(errors="replace")
        return self.run("journalctl", "--no-pager", "--boot", check=False).stdout
