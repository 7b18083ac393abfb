"""A thread of the tests in a machine's network, and the control groups that machines are in."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pathlib
import time

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x4000_0000


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def network_of(pid: int):
    """Sockets that this thread, and no other, makes meanwhile are in the network of the process `pid`, and stay there."""
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        theirs = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter(theirs)
        finally:
            os.close(theirs)
        try:
            yield
        finally:
            _enter(own)
    finally:
        os.close(own)


class ControlGroups:
    """Groups of one machine's own in each hierarchy that a systemd manages: two in one group would take each other's processes."""

    PREFIX = "gatehouse-test-"

    def __init__(self, name: str):
        self._folders = [folder / f"{self.PREFIX}{os.getpid()}-{name}" for folder in self._own()]
        for folder in self._folders:
            folder.mkdir()

    @staticmethod
    def _own() -> list[pathlib.Path]:
        """The folders of this process's groups."""
        mounts = {}
        for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
            before, after = line.split(" - ")
            kind, _, options = after.split()
            if kind == "cgroup2":
                mounts[""] = before.split()[4]
            elif kind == "cgroup" and "name=systemd" in options.split(","):
                mounts["name=systemd"] = before.split()[4]
        groups = (line.split(":", 2)[1:] for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines())
        return [pathlib.Path(mounts[controllers] + path) for controllers, path in groups if controllers in mounts]

    def enter(self) -> None:
        """Moves the calling process into them."""
        for folder in self._folders:
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    def remove(self, within: float = 5) -> None:
        for folder in self._folders:
            deadline = time.monotonic() + within
            while folder.exists():
                try:
                    self._remove(folder)
                except OSError:
                    # The kernel lets go of the last process a moment after it was waited for.
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.01)

    @staticmethod
    def _remove(folder: pathlib.Path) -> None:
        for parent, _, _ in os.walk(folder, topdown=False):
            os.rmdir(parent)

    @classmethod
    def remove_abandoned(cls) -> None:
        """Those of test runs that did not end in an orderly way."""
        for folder in cls._own():
            for each in folder.glob(f"{cls.PREFIX}*"):
                if not pathlib.Path(f"/proc/{each.name.removeprefix(cls.PREFIX).split('-')[0]}").exists():
                    with contextlib.suppress(OSError):
                        cls._remove(each)
