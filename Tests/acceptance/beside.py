"""Work that goes on beside a test."""

from __future__ import annotations

import threading


class Workers:
    """Does each of `works` on a thread of its own, for as long as the `with` block takes: they go on until `stopping` is set."""

    def __init__(self, *works):
        self.stopping = threading.Event()
        self._threads = [threading.Thread(target=work) for work in works]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self._threads:
            thread.join(60)


class Beside(Workers):
    """Does `once` again and again on a thread of its own, for as long as the `with` block takes."""

    def __init__(self, every: float):
        super().__init__(self._run)
        self._every = every

    def once(self) -> None:
        """What is done; for who derives from this."""

    def _run(self):
        while not self.stopping.wait(self._every):
            self.once()
