"""Waiting for what comes about by itself."""

import time


def eventually(is_so, within: float = 10, what: str = "", every: float = 0.02):
    """The first true value of `is_so`; fails the test where there is none in that time."""
    deadline = time.monotonic() + within
    while not (value := is_so()):
        assert time.monotonic() < deadline, f"not within {within} s" + (f": {what}" if what else "")
        time.sleep(every)
    return value
