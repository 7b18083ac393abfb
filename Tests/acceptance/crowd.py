"""Holds many connections to a server, each in a state of its own, and tells how many the server has ended: a process of its own.

    crowd.py PORT COUNT KIND SECONDS HOST

Kinds: idle (a request was answered, and nothing follows), head (half of one), body (the first byte of one, for an application that waits for the rest), reader (a
large answer that is not read), mixed (head, body and reader in turn), handshake (of TLS: in turn nothing, half of a ClientHello, and a whole one with nothing
behind it). Each line of the output is JSON; it ends when its input does, and when the server has ended them all.
"""

from __future__ import annotations

import json
import resource
import selectors
import socket
import sys
import time

from secure import client_hello

# No faster than a busy server accepts: a SYN that finds the queue full is sent again a second later.
RATE = 2500


def openings(kind: str, host: str) -> list[bytes]:
    if kind == "handshake":
        hello = client_hello()
        return [b"", hello[: len(hello) // 2], hello]
    return [opening(each, host) for each in (("head", "body", "reader") if kind == "mixed" else (kind,))]


def opening(kind: str, host: str) -> bytes:
    if kind == "idle":
        return f"GET /small HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    if kind == "head":
        return f"GET /small HTTP/1.1\r\nHost: {host}\r\nX-Half: ".encode()
    if kind == "body":
        return f"POST /wait HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100000\r\n\r\nx".encode()
    return f"GET /mebibyte HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


def main(port: int, count: int, kind: str, seconds: float, host: str) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sent = openings(kind, host)
    selector = selectors.DefaultSelector()
    begun = time.monotonic()
    alive: set[socket.socket] = set()
    told = {"answered": 0, "ended": 0, "refused": 0}

    def look(timeout: float) -> None:
        """What the server has sent is read, and what it has ended is forgotten."""
        for key, _ in selector.select(timeout):
            try:
                data = key.fileobj.recv(65536)
                told["answered"] += data.startswith(b"HTTP/1.1 200")
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if not data:
                selector.unregister(key.fileobj)
                key.fileobj.close()
                alive.discard(key.fileobj)
                told["ended"] += 1

    def tell(what: str) -> None:
        print(json.dumps({"what": what, "alive": len(alive), "at": round(time.monotonic() - begun, 2), **told}), flush=True)

    for number in range(count):
        connection, each = socket.socket(), sent[number % len(sent)]
        is_reader = each.startswith(b"GET /mebibyte")
        try:
            connection.settimeout(5)
            # So many clients don't come from one address: there are not as many ports.
            connection.bind((f"127.0.1.{1 + number % 20}", 0))
            if is_reader:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", port))
            connection.sendall(each)
            connection.setblocking(False)
        except OSError:
            connection.close()
            told["refused"] += 1
            continue
        alive.add(connection)
        if not is_reader:
            selector.register(connection, selectors.EVENT_READ)
        if number % 50 == 49:
            look(max(0, begun + number / RATE - time.monotonic()))
    while kind == "idle" and told["answered"] < len(alive) and time.monotonic() < begun + seconds:
        look(0.1)
    tell("opened")
    deadline = time.monotonic() + seconds
    selector.register(sys.stdin, selectors.EVENT_READ)
    while alive and time.monotonic() < deadline:
        ready = selector.select(0.2)
        if any(key.fileobj is sys.stdin for key, _ in ready):
            break
        if ready:
            look(0)
    selector.unregister(sys.stdin)
    look(0)
    tell("over")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], float(sys.argv[4]), sys.argv[5])
