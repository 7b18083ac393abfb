"""Takes uploads as fast as they come, and answers with how much it was: `sink.py PORT`. Bodies with a length or in chunks."""

from __future__ import annotations

import socket
import sys
import threading

ROOM = 1 << 20


def body_length(connection: socket.socket, head: bytes, rest: bytes) -> int:
    """Reads the body, and returns how long it was."""
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])}
    buffer = memoryview(bytearray(ROOM))
    if b"content-length" in fields:
        left = int(fields[b"content-length"]) - len(rest)
        while left > 0:
            count = connection.recv_into(buffer, min(ROOM, left))
            if not count:
                raise OSError("cut short")
            left -= count
        return int(fields[b"content-length"])
    if b"transfer-encoding" not in fields:
        return 0
    total, pending = 0, rest
    while True:
        while b"\r\n" not in pending:
            pending += received(connection)
        size, pending = pending.split(b"\r\n", 1)
        left = int(size, 16) + 2
        total += left - 2
        taken = min(left, len(pending))
        pending, left = pending[taken:], left - taken
        while left > 0:
            count = connection.recv_into(buffer, min(ROOM, left))
            if not count:
                raise OSError("cut short")
            left -= count
        if int(size, 16) == 0:
            return total


def received(connection: socket.socket) -> bytes:
    data = connection.recv(ROOM)
    if not data:
        raise OSError("cut short")
    return data


def serve(connection: socket.socket) -> None:
    pending = b""
    try:
        while True:
            while b"\r\n\r\n" not in pending:
                pending += received(connection)
            head, pending = pending.split(b"\r\n\r\n", 1)
            length = str(body_length(connection, head, pending)).encode()
            pending = b""
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(length) + length)
    except OSError:
        pass
    connection.close()


def main(port: int) -> None:
    listener = socket.create_server(("127.0.0.1", port), backlog=4096)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


if __name__ == "__main__":
    main(int(sys.argv[1]))
