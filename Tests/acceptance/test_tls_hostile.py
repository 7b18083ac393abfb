"""What is no TLS, what is half of it, what was heard before: the server stays up, flat, and answers the others."""

import json
import pathlib
import random
import resource
import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest

from secure import SecureConnection, client_hello, connected, context, get
from waiting import eventually

SEED = 20_261_121
SHORT = {"tls": {"handshake_timeout": "1s"}, "http": {"header_timeout": "1s"}}


@pytest.fixture(scope="module")
def _module_server(make_module_secure):
    return make_module_secure(SHORT).start()


@pytest.fixture
def https(_module_server, request):
    request.node.servers = [_module_server]
    return _module_server


def answers(server) -> float:
    """Seconds that a fresh client waits for its answer: handshake and all."""
    begun = time.monotonic()
    with SecureConnection(server.https_port, tls=context(server.ca_file)) as connection:
        connection.send(get())
        assert connection.answer().status == 200
    return time.monotonic() - begun


class Recorded:
    """A client of which every byte is kept, so that it can be cut short, changed or sent again."""

    def __init__(self, port: int, version: ssl.TLSVersion):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context(version=version).wrap_bio(self.incoming, self.outgoing, server_hostname="gate.test")
        self.socket = connected(port)
        self.sent: list[bytes] = []

    def _flush(self) -> None:
        if self.outgoing.pending:
            self.sent.append(self.outgoing.read())
            self.socket.sendall(self.sent[-1])

    def drive(self, step):
        """Runs a step of the client until it needs nothing more from the server."""
        while True:
            try:
                result = step()
                self._flush()
                return result
            except ssl.SSLWantReadError:
                self._flush()
                data = self.socket.recv(65536)
                if data:
                    self.incoming.write(data)
                else:
                    self.incoming.write_eof()

    def exchange(self, request: bytes = get("/health", "Connection: close")) -> bytes:
        self.drive(self.tls.do_handshake)
        self.drive(lambda: self.tls.write(request))
        return self.drive(lambda: self.tls.read(65536))

    def ended(self) -> bool:
        """Whether the server ends the stream with a close_notify."""
        try:
            while self.drive(lambda: self.tls.read(65536)):
                pass
            return True
        except ssl.SSLZeroReturnError:
            return True
        except (ssl.SSLError, OSError):
            return False


def poured(port: int, data: bytes, within: float = 5) -> bytes:
    """What comes back for these bytes, up to the end of the connection: which has to come."""
    with connected(port, within) as connection:
        answer = b""
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                answer += part
        except TimeoutError:
            raise AssertionError(f"held for {within} s: {data[:40]!r}") from None
        except OSError:
            # Ended by a reset.
            pass
        return answer


def rounds_are_flat(server, round_of_attacks, rounds: int = 3, slack_mb: float = 4) -> None:
    """After the first round nothing grows: neither memory nor descriptors. (The allocator settles in the first.)"""
    descriptors = server.descriptors()
    round_of_attacks()
    before = server.resident_mb()
    for _ in range(rounds - 1):
        round_of_attacks()
    assert server.is_running()
    eventually(lambda: server.descriptors() <= descriptors + 4)
    assert server.resident_mb() - before < slack_mb, "memory grows with each round"
    assert answers(server) < 2


def in_threads(count: int, work) -> None:
    """`work(number)` for each number, eight at a time; the first error is raised."""
    errors, numbers = [], iter(range(count))
    lock = threading.Lock()

    def run():
        while not errors:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            try:
                work(number)
            except Exception as error:  # noqa: BLE001: told below
                errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    if errors:
        raise errors[0]


def mutations(chance: random.Random, record: bytes) -> bytes:
    """A ClientHello with a few bytes changed, removed, doubled, or its lengths lying."""
    data = bytearray(record)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(data))
        match chance.randrange(4):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                del data[at : at + chance.randint(1, 16)]
            case 2:
                data[at:at] = data[at : at + chance.randint(1, 64)]
            case 3:
                data[chance.choice((3, 4, 6, 7, 8)) % len(data)] = chance.randrange(256)
        if not data:
            return b"\x16"
    return bytes(data)


def test_garbage(https):
    """Random bytes, other protocols, and ClientHellos that are not quite: each ends, and nothing is left behind."""
    chance = random.Random(SEED)
    hello = client_hello()
    others = [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"SSH-2.0-x\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x80\x2e\x01\x03\x01", b"\x15\x03\x03\x00\x02\x01\x00",
              b"\x17\x03\x03\x40\x01" + bytes(0x4001), b"\x16\x03\x01\xff\xff" + bytes(0xFFFF), b"\x14\x03\x03\x00\x01\x01" * 1000, b"\x16\x03\x01\x00\x00" * 5000]
    attacks = others + [chance.randbytes(chance.randint(1, 3000)) for _ in range(300)] + [mutations(chance, hello) for _ in range(700)]
    rounds_are_flat(https, lambda: in_threads(len(attacks), lambda number: poured(https.https_port, attacks[number])))


def test_truncated_at_every_byte(https):
    """A ClientHello cut after every one of its bytes, and the client gone."""
    hello = client_hello()
    rounds_are_flat(https, lambda: in_threads(len(hello), lambda number: poured(https.https_port, hello[:number])))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_recording_replayed_is_refused(https, version):
    """The bytes of a whole connection, sent again: its request is not run again, and nothing of an answer comes back."""
    client = Recorded(https.https_port, version)
    assert b"200" in client.exchange()
    recorded = b"".join(client.sent)

    def replay(_):
        answer = poured(https.https_port, recorded)
        # A handshake, an alert, the end: no application data but what TLS 1.3 encrypts of the handshake's own.
        assert b"status" not in answer
        assert len(answer) < 4096

    before = https.log_text().count('"/health"')
    rounds_are_flat(https, lambda: in_threads(100, replay))
    assert https.log_text().count('"/health"') - before <= 1, "a replayed request was run"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_damaged_record_is_refused(https, version):
    """One bit of an encrypted request is turned: an alert, no answer, the end."""
    chance = random.Random(SEED)

    def damage(_):
        client = Recorded(https.https_port, version)
        client.drive(client.tls.do_handshake)
        client.tls.write(get())
        record = bytearray(client.outgoing.read())
        record[chance.randrange(5, len(record))] ^= 1 << chance.randrange(8)
        client.socket.sendall(record)
        with pytest.raises((ssl.SSLError, OSError)):
            data = client.drive(lambda: client.tls.read(65536))
            assert not data, data
            raise ssl.SSLError
        client.socket.close()

    rounds_are_flat(https, lambda: in_threads(50, damage))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_stream_cut_is_not_a_stream_ended(https, version):
    """A body without a length it could be cut short of: with the request's bytes missing, a cut never makes it a request."""
    body = b'{"email":"a@example.com","password":"x"}'
    head = f"POST /api/v1/auth/login HTTP/1.1\r\nHost: gate.test\r\nContent-Type: application/json\r\nContent-Length: {len(body) + 1}\r\n\r\n"
    for closing in ("cut", "close_notify"):
        client = Recorded(https.https_port, version)
        client.drive(client.tls.do_handshake)
        client.drive(lambda: client.tls.write(head.encode() + body))
        if closing == "close_notify":
            try:
                client.tls.unwrap()
            except ssl.SSLError:
                pass
            client._flush()
        client.socket.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while part := client.socket.recv(65536):
                answer += part
        except ConnectionResetError:
            pass
        client.socket.close()
        assert len(answer) < 2000
    assert https.is_running() and answers(https) < 2


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_request_before_the_end_is_answered(https, version):
    """A client that has said all, and closes its half, gets its answer, and the end in return."""
    client = Recorded(https.https_port, version)
    client.drive(client.tls.do_handshake)
    client.drive(lambda: client.tls.write(get("/health", "Connection: close")))
    data = client.drive(lambda: client.tls.read(65536))
    assert b"200 OK" in data
    assert client.ended(), "cut, without a close_notify"
    client.socket.close()


def test_a_handshake_has_its_time(https):
    """Silence, and a drop at a time: both end within handshake_timeout and a little."""
    hello = client_hello()
    for opening in (b"", hello[:60], hello):
        begun = time.monotonic()
        with connected(https.https_port, 10) as connection:
            connection.sendall(opening)
            try:
                while connection.recv(65536):
                    pass
            except ConnectionResetError:
                pass
        assert 0.5 < time.monotonic() - begun < 4, len(opening)
    begun = time.monotonic()
    with connected(https.https_port, 10) as connection:
        with pytest.raises(OSError):
            for byte in hello * 20:
                connection.sendall(bytes([byte]))
                time.sleep(0.05)
                assert time.monotonic() - begun < 10, "drops are taken for ever"


def test_ten_thousand_half_open_handshakes(make_secure):
    """CHECKLIST 57: shed within the limits, a fresh client answered throughout, and nothing left of them afterwards."""
    count, limit = 10_000, 12_000
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < limit + 1000:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit + 1000, limit + 1000))
    else:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = make_secure({"tls": {"handshake_timeout": "5s"}, "http": {"max_connections": limit}}).start()
    before = server.descriptors()
    flood = subprocess.Popen(
        [sys.executable, pathlib.Path(__file__).with_name("crowd.py"), str(server.https_port), str(count), "handshake", "40", ""],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    waits, most, largest = [], 0, 0.0
    try:
        while flood.poll() is None:
            waits.append(answers(server))
            most, largest = max(most, server.descriptors()), max(largest, server.resident_mb())
            time.sleep(0.03)
        told = [json.loads(line) for line in flood.stdout.read().splitlines()]
    finally:
        flood.kill()
        flood.wait()
    assert [each["what"] for each in told] == ["opened", "over"], told
    opened, over = told
    assert over["ended"] + over["refused"] == count and over["alive"] == 0, f"not all were ended: {told}"
    assert over["at"] - opened["at"] < 5 + 4, f"the last one was held too long: {told}"
    # So many handshakes may be under way at once (1024, or what makes room for them); the oldest give way.
    assert most > 900, f"hardly any were held at once: {most}"
    waits.sort()
    assert waits[int(len(waits) * 0.99)] < 0.5, f"fresh clients waited: p99 {waits[int(len(waits) * 0.99)]:.3f} s, {waits[-1]:.3f} s"
    # A state machine and two buffers each.
    assert largest < 200, f"{largest} MB"
    eventually(lambda: server.descriptors() <= before + 4)
    assert answers(server) < 1


def test_beyond_the_limit_of_connections(make_secure):
    """More than may be: the rest is refused at once, and place is made as handshakes run out of time."""
    server = make_secure({"tls": {"handshake_timeout": "1s"}, "http": {"max_connections": 200}}).start()
    held = [connected(server.https_port) for _ in range(400)]
    try:
        eventually(lambda: server.descriptors() < 300)
        begun = time.monotonic()

        def served() -> bool:
            try:
                return answers(server) < 5
            except (OSError, ssl.SSLError):
                return False

        eventually(served)
        assert time.monotonic() - begun < 5
    finally:
        for each in held:
            each.close()
