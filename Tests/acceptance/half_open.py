"""Opens many connections whose handshake never ends, holds them, and tells how many the server has ended: a process of its own.

    half_open.py PORT COUNT SOURCES SECONDS

A third says nothing, a third sends half of a ClientHello, a third a whole one and then nothing. Each line of the output is JSON.
"""

from __future__ import annotations

import json
import resource
import selectors
import socket
import sys
import time

from secure import client_hello

RATE = 2500


def main(port: int, count: int, sources: int, seconds: float) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    hello = client_hello()
    openings = (b"", hello[: len(hello) // 2], hello)
    selector = selectors.DefaultSelector()
    begun = time.monotonic()
    opened = ended = 0
    alive: set[socket.socket] = set()

    def look(timeout: float) -> None:
        """What the server has sent is read, and what it has ended is forgotten."""
        nonlocal ended
        for key, _ in selector.select(timeout):
            try:
                while data := key.fileobj.recv(65536):
                    pass
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if not data:
                selector.unregister(key.fileobj)
                key.fileobj.close()
                alive.discard(key.fileobj)
                ended += 1

    def tell(what: str) -> None:
        print(json.dumps({"what": what, "opened": opened, "ended": ended, "alive": len(alive), "at": time.monotonic() - begun}), flush=True)

    for number in range(count):
        connection = socket.socket()
        try:
            connection.settimeout(5)
            connection.bind((f"127.0.1.{1 + number % sources}", 0))
            connection.connect(("127.0.0.1", port))
            connection.sendall(openings[number % 3])
            connection.setblocking(False)
        except OSError:
            connection.close()
            opened += 1
            ended += 1
            continue
        opened += 1
        alive.add(connection)
        selector.register(connection, selectors.EVENT_READ)
        if number % 50 == 49:
            # No faster than a server accepts: a SYN that finds the queue full is sent again a second later.
            look(max(0, begun + number / RATE - time.monotonic()))
    tell("opened")
    deadline = begun + seconds
    while alive and time.monotonic() < deadline:
        look(0.2)
    tell("over")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
