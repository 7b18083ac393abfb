"""strace on a running server: to make system calls fail, or to write them down."""

from __future__ import annotations

import contextlib
import pathlib
import subprocess

from gate import Gatehouse
from waiting import eventually


def _is_traced(pid: int) -> bool:
    """Whether every thread is: strace takes hold of them one by one."""
    return all("TracerPid:\t0\n" not in (task / "status").read_text() for task in pathlib.Path(f"/proc/{pid}/task").iterdir())


@contextlib.contextmanager
def traced(server: Gatehouse, *options: str):
    """Runs the block with strace on all threads of the server."""
    pid = server.server_pid()
    tracer = subprocess.Popen(["strace", "-f", "-qq", *options, "-p", str(pid)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        eventually(lambda: tracer.poll() is not None or _is_traced(pid))
        assert tracer.poll() is None, tracer.stderr.read().decode()
        yield
    finally:
        tracer.terminate()
        tracer.wait(20)
