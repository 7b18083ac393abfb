"""A wall clock that a test moves, for one server."""

from __future__ import annotations

import functools
import pathlib
import struct
import subprocess
import tempfile


@functools.cache
def _library() -> pathlib.Path:
    source = pathlib.Path(__file__).parents[1] / "preload/wall_clock.c"
    library = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-clock-")) / "wall_clock.so"
    subprocess.run(["gcc", "-O2", "-Wall", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


class MovedClock:
    """`env` is the server's environment; the clock is moved while it runs."""

    def __init__(self, folder: pathlib.Path):
        self._file = folder / "clock"
        self._file.write_bytes(bytes(8))
        self.env = {"LD_PRELOAD": str(_library()), "MOVED_CLOCK_FILE": str(self._file)}

    def set(self, seconds: int) -> None:
        """So many seconds after the machine's clock."""
        with open(self._file, "r+b", buffering=0) as file:
            file.write(struct.pack("=q", seconds))

    def now(self) -> int:
        return struct.unpack("=q", self._file.read_bytes())[0]
