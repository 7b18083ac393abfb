"""Work that goes on beside a test."""

from __future__ import annotations

import threading


class Beside:
    """Does `once` again and again on a thread of its own, for as long as the `with` block takes."""

    def __init__(self, every: float):
        self._every = every
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def once(self) -> None:
        """What is done; for who derives from this."""

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        self._thread.join()

    def _run(self):
        while not self._stopping.wait(self._every):
            self.once()
