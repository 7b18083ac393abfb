"""Requests that two readers could read differently, and what came of each behind a proxy."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field

from framed import Ended, Framed, Reset
from raw import Closed, Connection
from recording import Recorder, response

REFUSED, FORWARDED, EITHER = "refused", "forwarded", "either"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n"
AFTER = b"GET /after HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n"


def post(*lines: str, body: bytes = b"", target: str = "/attack") -> bytes:
    return "\r\n".join([f"POST {target} HTTP/1.1", "Host: app.test", *lines, "", ""]).encode("latin-1") + body


def get(*lines: str, target: str = "/attack") -> bytes:
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: app.test", *lines, "", ""]).encode("latin-1")


def chunks(*sizes_and_data: bytes, te: str = "Transfer-Encoding: chunked") -> bytes:
    return post(te, body=b"".join(sizes_and_data))


CHUNKED = b"5\r\nhello\r\n0\r\n\r\n"
HIDDEN = b"%x\r\n" % len(SMUGGLED)

# What is sent, and what Gatehouse does with it. What RFC 9112 leaves open is EITHER; nothing smuggled passes in any case.
ATTACKS: dict[str, tuple[bytes, str]] = {
    # RFC 9112 §6.3: which length counts.
    "CL.TE": (post(f"Content-Length: {5 + len(SMUGGLED)}", "Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED), REFUSED),
    "TE.CL": (post("Transfer-Encoding: chunked", "Content-Length: 4", body=HIDDEN + SMUGGLED + b"\r\n0\r\n\r\n"), REFUSED),
    "CL 0 and TE": (post("Content-Length: 0", "Transfer-Encoding: chunked", body=HIDDEN + SMUGGLED + b"\r\n0\r\n\r\n"), REFUSED),
    "two lengths that differ": (post("Content-Length: 0", f"Content-Length: {len(SMUGGLED)}", body=SMUGGLED), REFUSED),
    "two lengths in a list": (post(f"Content-Length: 0, {len(SMUGGLED)}", body=SMUGGLED), REFUSED),
    "the same length twice": (post("Content-Length: 5", "Content-Length: 5", body=b"hello"), EITHER),
    "the same length in a list": (post("Content-Length: 5, 5", body=b"hello"), EITHER),
    **{f"length {text!r}": (post(f"Content-Length: {text}", body=SMUGGLED), REFUSED)
       for text in ("+5", "-1", "0x2b", "4_3", "1e1", "", "\x0b43", "43\x0b", "4 3", "99999999999999999999", "18446744073709551659", "\xb2")},
    # RFC 9112 §6.1: a coding that is not quite chunked.
    **{f"coding {text!r}": (chunks(HIDDEN, SMUGGLED, b"\r\n0\r\n\r\n", te=f"Transfer-Encoding: {text}"), REFUSED)
       for text in ("xchunked", "chunk", "identity", "chunked, identity", "identity, chunked", "chunked, chunked", '"chunked"', "chunked;q=1", "\x0bchunked",
                    "chunked\x0b", "gzip, chunked", "chunked,", ",chunked", "")},
    "coding with a tab before it": (chunks(CHUNKED, te="Transfer-Encoding:\tchunked"), EITHER),
    "coding in capitals": (chunks(CHUNKED, te="Transfer-Encoding: CHUNKED"), EITHER),
    "two codings in two fields": (post("Transfer-Encoding: chunked", "Transfer-Encoding: identity", body=CHUNKED), REFUSED),
    "the same coding in two fields": (post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body=CHUNKED), REFUSED),
    "coding before a colon with space": (chunks(CHUNKED, te="Transfer-Encoding : chunked"), REFUSED),
    "coding with an underscore": (post(f"Content-Length: {len(SMUGGLED)}", "Transfer_Encoding: chunked", body=SMUGGLED), EITHER),
    "coding in a folded line": (post("Transfer-Encoding:", " chunked", body=CHUNKED), REFUSED),
    "coding behind a bare LF": (post("X: y\nTransfer-Encoding: chunked", body=CHUNKED), REFUSED),
    "coding behind a bare CR": (post("X: y\rTransfer-Encoding: chunked", body=CHUNKED), REFUSED),
    "coding behind NUL": (post("X: y\0Transfer-Encoding: chunked", body=CHUNKED), REFUSED),
    "chunks in HTTP/1.0": (chunks(CHUNKED).replace(b"HTTP/1.1", b"HTTP/1.0"), REFUSED),
    # RFC 9112 §7.1: chunks.
    **{f"chunk size {text!r}": (chunks(text + b"\r\nhello\r\n0\r\n\r\n" + SMUGGLED), REFUSED)
       for text in (b"0x5", b"+5", b"-5", b" 5", b"5 5", b"5_", b"", b"5\r", b"\xb5", b"10000000000000005", b"fffffffffffffffff", b"5\0")},
    "chunk size that ends in LF": (chunks(b"5\nhello\r\n0\r\n\r\n"), REFUSED),
    "chunk that ends in LF": (chunks(b"5\r\nhello\n0\r\n\r\n"), REFUSED),
    "chunk longer than its size": (chunks(b"5\r\nhello, you\r\n0\r\n\r\n"), REFUSED),
    "last chunk that ends in LF": (chunks(b"5\r\nhello\r\n0\n\n"), REFUSED),
    "chunk extension with LF (CVE-2025-55315)": (chunks(b"5;a=\nx\r\nhello\r\n0\r\n\r\n"), REFUSED),
    "chunk extension with CR": (chunks(b"5;a=\rx\r\nhello\r\n0\r\n\r\n"), REFUSED),
    "chunk extension that hides a chunk (TERM.EXT)": (chunks(b"2;\nxx\r\n" + HIDDEN + b"0\r\n\r\n" + SMUGGLED), REFUSED),
    "chunk extension": (chunks(b'5;name="value; x"\r\nhello\r\n0\r\n\r\n'), EITHER),
    "chunk extension of a mebibyte": (chunks(b"5;" + b"a" * (1 << 20) + b"\r\nhello\r\n0\r\n\r\n"), REFUSED),
    "chunk size with zeros": (chunks(b"000005\r\nhello\r\n000\r\n\r\n"), EITHER),
    "trailer without a colon": (chunks(b"5\r\nhello\r\n0\r\nnonsense\r\n\r\n"), REFUSED),
    "trailer with LF": (chunks(b"5\r\nhello\r\n0\r\nX: y\nZ: z\r\n\r\n"), REFUSED),
    "trailer that is folded": (chunks(b"5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n"), REFUSED),
    "trailer with a length": (chunks(b"5\r\nhello\r\n0\r\nContent-Length: 43\r\n\r\n"), EITHER),
    # RFC 9112 §2.2, §3, §5: the head.
    "bare LF": (get().replace(b"\r\n", b"\n"), REFUSED),
    "bare LF in the head": (get("X: y\nZ: z"), REFUSED),
    "bare CR in the head": (get("X: y\rZ: z"), REFUSED),
    "NUL in a value": (get("X: y\0z"), REFUSED),
    "DEL in a value": (get("X: y\x7fz"), EITHER),
    "folded field": (get("X: y", " z"), REFUSED),
    "first field folded": (b"GET /attack HTTP/1.1\r\n Host: app.test\r\nHost: app.test\r\n\r\n", REFUSED),
    "space in a name": (get("X Y: z"), REFUSED),
    "parentheses in a name": (get("X(Y): z"), REFUSED),
    "a name that is not ASCII": (get("X\xe9: z"), REFUSED),
    "an empty name": (get(": z"), REFUSED),
    "no colon": (get("nonsense"), REFUSED),
    "no host": (b"GET /attack HTTP/1.1\r\n\r\n", REFUSED),
    "two hosts": (get("Host: other.test"), REFUSED),
    "a host with a space": (get().replace(b"app.test", b"app.test other.test"), REFUSED),
    "a host with a path": (get().replace(b"app.test", b"app.test/x"), REFUSED),
    "a host with user information": (get().replace(b"app.test", b"x@app.test"), REFUSED),
    "another host in the target": (get(target="http://app.test/attack").replace(b"Host: app.test", b"Host: other.test"), EITHER),
    "a space in the target": (get(target="/attack HTTP/1.1 x"), REFUSED),
    "two spaces": (get().replace(b" /attack", b"  /attack"), REFUSED),
    "a tab for a space": (get().replace(b" /attack", b"\t/attack"), REFUSED),
    "a fragment": (get(target="/attack#x"), EITHER),
    "a target that is not ASCII": (get(target="/attack\xff"), EITHER),
    "a control character in the target": (get(target="/attack\x01"), REFUSED),
    "a target without a slash": (get(target="attack"), REFUSED),
    "HTTP/1.2": (get().replace(b"1.1", b"1.2"), EITHER),
    "HTTP/2.0": (get().replace(b"1.1", b"2.0"), REFUSED),
    "http/1.1": (get().replace(b"HTTP", b"http"), REFUSED),
    "HTTP/0.9": (b"GET /attack\r\n", REFUSED),
    "HTTP/1.10": (get().replace(b"1.1", b"1.10"), REFUSED),
    "a method that is none": (get().replace(b"GET", b"G@T"), REFUSED),
    "CONNECT": (b"CONNECT app.test:80 HTTP/1.1\r\nHost: app.test:80\r\n\r\n", REFUSED),
    "empty lines before": (b"\r\n\r\n" + get(), EITHER),
    # What is for one hop only, RFC 9110 §7.6.1.
    "Connection names the length": (post("Connection: content-length", f"Content-Length: {len(SMUGGLED)}", body=SMUGGLED), EITHER),
    "Connection names the coding": (post("Connection: transfer-encoding", "Transfer-Encoding: chunked", body=HIDDEN + SMUGGLED + b"\r\n0\r\n\r\n"), EITHER),
    "Connection names the host": (get("Connection: host"), EITHER),
    "an upgrade to h2c": (get("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"), EITHER),
    "a body of GET": (get(f"Content-Length: {len(SMUGGLED)}") + SMUGGLED, EITHER),
    "a body of HEAD": (get(f"Content-Length: {len(SMUGGLED)}").replace(b"GET", b"HEAD") + SMUGGLED, EITHER),
    "an expectation that is none": (post("Expect: 200-ok", "Content-Length: 5", body=b"hello"), EITHER),
}

PATH, METHOD, AUTHORITY = ":path", ":method", ":authority"


def fields(*more: tuple[str, str], **pseudo: str) -> list[tuple[str, str]]:
    base = {":method": "POST", ":scheme": "https", ":authority": "app.test", ":path": "/attack"}
    return [*(base | {f":{name}": value for name, value in pseudo.items()}).items(), *more]


HIDDEN_HEAD = " HTTP/1.1\r\nHost: app.test\r\n\r\nGET /smuggled"

# The same in HTTP/2, where nothing is delimited by characters, and what HTTP/1.1 behind it would make of it (RFC 9113 §8.2, §8.3).
STREAM_ATTACKS: dict[str, tuple[list[tuple[str, str]], str]] = {
    **{f"{name} in a value": (fields(("x", f"y{text}Transfer-Encoding: chunked")), REFUSED)
       for name, text in (("CRLF", "\r\n"), ("LF", "\n"), ("CR", "\r"), ("NUL", "\0"))},
    **{f"{name!r} in a name": (fields((f"x{name}y", "z")), REFUSED) for name in ("\r\n", "\n", ":", " ", "\0", "A", "\xe9")},
    "a line in :path": (fields(path="/attack" + HIDDEN_HEAD), REFUSED),
    "a space in :path": (fields(path="/attack x"), REFUSED),
    "a tab in :path": (fields(path="/attack\tx"), REFUSED),
    "an empty :path": (fields(path=""), REFUSED),
    "a :path without a slash": (fields(path="attack"), REFUSED),
    "a line in :method": (fields(method="GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\nPOST"), REFUSED),
    "a space in :method": (fields(method="GET /smuggled"), REFUSED),
    "a line in :authority": (fields(authority="app.test\r\nX: y"), REFUSED),
    "a path in :authority": (fields(authority="app.test/x"), REFUSED),
    "user information in :authority": (fields(authority="x@app.test"), REFUSED),
    "a line in :scheme": (fields(scheme="https\r\nX: y"), REFUSED),
    "transfer-encoding": (fields(("transfer-encoding", "chunked")), REFUSED),
    "connection": (fields(("connection", "x-gatehouse-user")), REFUSED),
    "keep-alive": (fields(("keep-alive", "1")), REFUSED),
    "upgrade": (fields(("upgrade", "h2c")), REFUSED),
    "te that is not trailers": (fields(("te", "chunked")), REFUSED),
    "another host": (fields(("host", "other.test")), EITHER),
    "two paths": ([*fields(), (":path", "/smuggled")], REFUSED),
    "a pseudo-field after the others": ([*fields(("x", "y")), (":path", "/attack")], REFUSED),
    # Complete, as declared, when its head has come: what follows ends the stream.
    "a length that is short": (fields(("content-length", "0")), EITHER),
    "a length that is long": (fields(("content-length", "400")), REFUSED),
    "a length that is none": (fields(("content-length", "4x")), REFUSED),
    "two lengths": (fields(("content-length", str(len(SMUGGLED))), ("content-length", "0")), REFUSED),
    "a body as it should be": (fields(("content-length", str(len(SMUGGLED)))), FORWARDED),
}


@dataclass
class Outcome:
    statuses: list[int] = field(default_factory=list)
    # As the application read them.
    forwarded: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return FORWARDED if any("/after" not in each for each in self.forwarded) else REFUSED

    @property
    def is_smuggled(self) -> bool:
        return any("smuggled" in each for each in self.forwarded) or bool(self.violations)


def answering(link) -> None:
    """Reads the whole request, and answers: complete before the answer can be seen."""
    if link.request.method == "HEAD":
        link.read_body()
        link.request.is_complete = True
        link.send(response(200, b"").replace(b"Content-Length: 0", b"Content-Length: 2"))
    else:
        link.read_body()
        link.request.is_complete = True
        link.send(response())


def observed(recorder: Recorder, statuses: list[int]) -> Outcome:
    """Of what came to the application, what was whole: a request that is cut short is not run."""
    # What is under way to the application is counted here, not at the next attempt.
    time.sleep(0.02)
    outcome = Outcome(statuses, [f"{each.method} {each.target}" for each in recorder.requests if each.is_complete], list(recorder.violations))
    recorder.forget()
    return outcome


def attacked(port: int, data: bytes, recorder: Recorder) -> Outcome:
    """Over HTTP/1.1, with another request behind the attack on the same connection."""
    recorder.forget()
    statuses: list[int] = []
    with Connection(port, timeout=0.4) as connection:
        try:
            connection.send(data + AFTER)
        except OSError:
            pass
        try:
            while True:
                statuses.append(connection.answer(head_only=data.startswith(b"HEAD") and not statuses).status)
        except (Closed, TimeoutError, OSError, AssertionError, ValueError):
            pass
    return observed(recorder, statuses)


def attacked_streams(port: int, name: str, sent: list[tuple[str, str]], recorder: Recorder) -> Outcome:
    recorder.forget()
    statuses: list[int] = []
    try:
        with Framed(port, timeout=2, name=name) as connection:
            connection.encoder.header_table_size = 0
            stream = connection.request(sent, end=False)
            connection.send_body(stream, SMUGGLED)
            statuses.append(connection.response(stream).status)
    except (Ended, Reset, socket.timeout, TimeoutError):
        pass
    return observed(recorder, statuses)
