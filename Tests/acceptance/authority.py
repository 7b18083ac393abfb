"""An ACME authority that is stricter than Pebble, and fails when told to: a reverse proxy in front of Pebble.

Pebble 2.4 has no renewal information (RFC 9773), no profiles, and does not mind how its clients behave. Here is a front that adds
both, checks every request against the RFCs, and notes what it saw. It passes the client's Host on: Pebble makes its URLs, and checks
the `url` of each JWS, by that, so nothing signed has to be rewritten.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import datetime
import http.client
import http.server
import json
import pathlib
import random
import socket
import ssl
import threading
import time

from cryptography import x509

from certificates import renewal_identifier
from pebble import Pebble

KINDS = {
    "/dir": "directory", "/nonce-plz": "nonce", "/sign-me-up": "account", "/order-plz": "order", "/my-order/": "poll",
    "/authZ/": "authorization", "/chalZ/": "challenge", "/finalize-order/": "finalize", "/certZ/": "certificate",
    "/my-account/": "account-update", "/renewal-info/": "renewal",
}
HOP_BY_HOP = ("content-length", "connection", "transfer-encoding", "date")
# What a client does for one certificate, in its order.
STEPS = ("directory", "nonce", "account", "order", "authorization", "challenge", "finalize", "poll", "certificate")


@dataclasses.dataclass
class Seen:
    """One request, as it came. `payload` is what was signed; empty for POST-as-GET and for GET."""

    kind: str
    method: str
    path: str
    at: float
    payload: dict
    protected: dict
    status: int = 0


@dataclasses.dataclass
class Fault:
    """What befalls the next requests of a kind: answered by `status` with a problem document, held, or cut off."""

    kind: str
    status: int = 0
    problem: str = "serverInternal"
    detail: str = "told to fail by the test"
    retry_after: str | None = None
    cut: bool = False
    body: bytes | None = None
    # After Pebble has done what was asked, rather than instead of it.
    done: bool = False
    times: int = 1
    hold: threading.Event | None = None
    reached: threading.Event = dataclasses.field(default_factory=threading.Event)


def _decoded(text: str) -> dict:
    padded = text + "=" * (-len(text) % 4)
    return json.loads(base64.urlsafe_b64decode(padded) or b"{}")


class Authority:
    """Pebble and the front. `violations` is what a client did that the RFCs forbid: a test asserts that it is empty."""

    def __init__(self, folder: pathlib.Path, pebble: Pebble, renewal: bool = True, profiles: dict | None = None):
        self.pebble = pebble
        self.renewal, self.profiles = renewal, profiles
        self.seen: list[Seen] = []
        self.violations: list[str] = []
        # The renewal window by a certificate's number: seconds from its issue to the start, and to the end; None is the usual one.
        self.window = lambda number: None
        self.renewal_retry_after = "21600"
        self.shuffled: random.Random | None = None
        self.certificates: dict[str, x509.Certificate] = {}
        self.replaced: set[str] = set()
        # Every object that was told, whole.
        self.answers: list[dict] = []
        self._faults: list[Fault] = []
        self._nonces: set[str] = set()
        self._lock = threading.Lock()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(folder / "server.pem", folder / "server.key")
        self.ca_file = pebble.root.file
        self._upstream = ssl.create_default_context(cafile=pebble.root.file)
        self._server: _Front | None = None
        self.port = 0
        self.come()
        self.directory = f"https://localhost:{self.port}/dir"

    # Being there, and not

    def come(self) -> None:
        if self._server is None:
            self._server = _Front(self, self._context, self.port)
            self.port = self._server.server_address[1]

    def go(self) -> None:
        """Nobody listens any longer, and what was connected is cut off."""
        if self._server is not None:
            self._server.end()
            self._server = None

    def close(self) -> None:
        for fault in self._faults:
            if fault.hold:
                fault.hold.set()
        self.go()

    # Being told to fail

    def fail(self, kind: str, **how) -> Fault:
        fault = Fault(kind, **how)
        with self._lock:
            self._faults.append(fault)
        return fault

    @contextlib.contextmanager
    def held(self, kind: str, done: bool):
        """The next request of a kind hangs: before Pebble hears of it, or after it has done what was asked. Yields the fault."""
        fault = self.fail(kind, done=done, hold=threading.Event())
        try:
            yield fault
        finally:
            fault.hold.set()

    def mend(self) -> None:
        with self._lock:
            self._faults.clear()

    def fault_of(self, kind: str, done: bool) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.kind == kind and fault.done == done and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    # Being asked afterwards

    def count(self, kind: str, **also) -> int:
        return len(self.all(kind, **also))

    def all(self, kind: str, **also) -> list[Seen]:
        with self._lock:
            return [each for each in self.seen if each.kind == kind and all(getattr(each, key) == value for key, value in also.items())]

    def wait_for(self, kind: str, count: int = 1, within: float = 30) -> None:
        """Until so many requests of a kind have been answered."""
        deadline = time.monotonic() + within
        while len([each for each in self.all(kind) if each.status]) < count:
            assert time.monotonic() < deadline, f"{count} of {kind} not within {within} s: {[each.kind for each in self.seen][-20:]}"
            time.sleep(0.01)

    def is_of(self, certificate: x509.Certificate) -> bool:
        """Whether it was issued here."""
        return renewal_identifier(certificate) in self.certificates

    # What the front does with a request

    def note(self, method: str, path: str, headers, body: bytes) -> Seen:
        kind = next((name for prefix, name in KINDS.items() if path == prefix or (prefix.endswith("/") and path.startswith(prefix))), "other")
        payload, protected = {}, {}
        if method == "POST":
            try:
                envelope = json.loads(body)
                protected, payload = _decoded(envelope["protected"]), _decoded(envelope["payload"])
            except (ValueError, KeyError) as error:
                self.violate(f"{path}: no flattened JWS: {error}")
        seen = Seen(kind, method, path, time.time(), payload, protected)
        with self._lock:
            self.seen.append(seen)
        self._check(seen, headers)
        return seen

    def violate(self, what: str) -> None:
        with self._lock:
            self.violations.append(what)

    def _check(self, seen: Seen, headers) -> None:
        def demand(holds, rule: str):
            if not holds:
                self.violate(f"{seen.method} {seen.path}: {rule}: {seen.protected}")

        demand(headers.get("User-Agent"), "RFC 8555 §6.1: clients MUST send a User-Agent")
        demand(seen.kind != "other", "a path that this authority never told of")
        if seen.method != "POST":
            demand(seen.kind in ("directory", "nonce", "renewal"), "RFC 8555 §6.3: POST-as-GET")
            return
        demand(headers.get("Content-Type") == "application/jose+json", "RFC 8555 §6.2: application/jose+json")
        protected = seen.protected
        demand(protected.get("alg") == "ES256", "the account's key is ES256")
        demand(("jwk" in protected) != ("kid" in protected), "RFC 8555 §6.2: either jwk or kid")
        demand(("jwk" in protected) == (seen.kind == "account"), "RFC 8555 §6.2: kid, but for newAccount")
        demand(protected.get("url") == f"https://localhost:{self.port}{seen.path}", "RFC 8555 §6.4: url is what is asked")
        with self._lock:
            fresh = protected.get("nonce") not in self._nonces
            self._nonces.add(protected.get("nonce"))
        demand(fresh, "RFC 8555 §6.5: a nonce is used once")
        if seen.kind == "order":
            replaces, profile = seen.payload.get("replaces"), seen.payload.get("profile")
            demand(replaces is None or self.renewal, "RFC 9773 §5: replaces, where the directory has no renewalInfo")
            demand(replaces is None or replaces in self.certificates, f"RFC 9773 §5: replaces a certificate of another authority: {replaces}")
            demand(profile is None or profile in (self.profiles or {}), f"an unknown profile: {profile}")

    def answer_itself(self, seen: Seen) -> tuple[int, dict, dict] | None:
        """Status, fields and body of what Pebble does not know of."""
        if seen.kind == "order" and seen.payload.get("replaces") in self.replaced:
            return 409, {}, self._problem("alreadyReplaced", "this certificate has been replaced by another order")
        if seen.kind != "renewal":
            return None
        certificate = self.certificates.get(seen.path.removeprefix("/renewal-info/"))
        if certificate is None:
            self.violate(f"{seen.path}: RFC 9773 §4.1: not the identifier of a certificate of this authority")
            return 404, {}, self._problem("malformed", "no such certificate")
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        chosen = self.window(list(self.certificates.values()).index(certificate))
        if chosen is not None:
            start, end = (begins + datetime.timedelta(seconds=seconds) for seconds in chosen)
        else:
            start, end = begins + (ends - begins) * 2 / 3, begins + (ends - begins) * 5 / 6
        window = {"start": start.strftime("%Y-%m-%dT%H:%M:%SZ"), "end": end.strftime("%Y-%m-%dT%H:%M:%SZ")}
        return 200, {"Retry-After": self.renewal_retry_after}, {"suggestedWindow": window, "explanationURL": "https://localhost/why"}

    @staticmethod
    def _problem(kind: str, detail: str) -> dict:
        return {"type": f"urn:ietf:params:acme:error:{kind}", "detail": detail}

    def forward(self, seen: Seen, headers, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPSConnection("localhost", self.pebble.port, timeout=60, context=self._upstream)
        try:
            passed = {name: headers[name] for name in ("Content-Type", "User-Agent", "Accept", "Host") if headers.get(name)}
            connection.request(seen.method, seen.path, body or None, passed)
            answer = connection.getresponse()
            content = answer.read()
            fields = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP]
            return answer.status, fields, self._changed(seen, answer.status, content)
        finally:
            connection.close()

    def _changed(self, seen: Seen, status: int, content: bytes) -> bytes:
        if seen.kind == "directory":
            directory = json.loads(content)
            if self.renewal:
                directory["renewalInfo"] = f"https://localhost:{self.port}/renewal-info"
            if self.profiles:
                directory["meta"]["profiles"] = self.profiles
            return json.dumps(directory).encode()
        if seen.kind == "certificate" and status == 200:
            leaf = x509.load_pem_x509_certificates(content)[0]
            with self._lock:
                self.certificates.setdefault(renewal_identifier(leaf), leaf)
        if seen.kind == "order" and status == 201 and seen.payload.get("replaces"):
            self.replaced.add(seen.payload["replaces"])
        if content.startswith(b"{"):
            self.answers.append(json.loads(content))
        if self.shuffled and content.startswith(b"{"):
            told = json.loads(content)
            for value in told.values():
                if isinstance(value, list):
                    self.shuffled.shuffle(value)
            pairs = list(told.items())
            self.shuffled.shuffle(pairs)
            return json.dumps(dict(pairs)).encode()
        return content

    def failing(self, fault: Fault) -> tuple[int, list[tuple[str, str]], bytes]:
        fields = [("Content-Type", "application/problem+json"), ("Cache-Control", "no-store")]
        if fault.retry_after is not None:
            fields.append(("Retry-After", fault.retry_after))
        body = fault.body if fault.body is not None else json.dumps(self._problem(fault.problem, fault.detail)).encode()
        return fault.status, fields, body


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120
    # A response is one write: small ones would wait for the client's delayed acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def _answer(self) -> None:
        authority: Authority = self.server.authority
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        seen = authority.note(self.command, self.path, self.headers, body)
        try:
            answer = self._decided(authority, seen, body)
        except OSError as error:
            # Pebble is not there.
            answer = 502, [], str(error).encode()
        if answer is None:
            seen.status = -1
            self.close_connection = True
            return
        status, fields, content = answer
        # Before the client knows: what it does next is counted after this.
        seen.status = status
        self.send_response_only(status)
        for name, value in [*fields, ("Content-Length", str(len(content)))]:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _decided(self, authority: Authority, seen: Seen, body: bytes):
        """The answer; None to cut the connection."""
        if (fault := authority.fault_of(seen.kind, done=False)) is not None:
            if (answer := self._befall(authority, fault)) is not Ellipsis:
                return answer
        itself = authority.answer_itself(seen)
        if itself is not None:
            status, fields, told = itself
            answer = status, [("Content-Type", "application/json"), *fields.items()], json.dumps(told).encode()
        else:
            answer = authority.forward(seen, self.headers, body)
        if (fault := authority.fault_of(seen.kind, done=True)) is not None:
            if (instead := self._befall(authority, fault)) is not Ellipsis:
                return instead
        return answer

    def _befall(self, authority: Authority, fault: Fault):
        """What the fault answers; Ellipsis to go on."""
        fault.reached.set()
        if fault.hold:
            fault.hold.wait(60)
        if fault.cut:
            return None
        return authority.failing(fault) if fault.status else Ellipsis

    do_GET = do_HEAD = do_POST = _answer

    def log_message(self, *_):
        pass


class _Front(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, authority: Authority, context: ssl.SSLContext, port: int):
        self.authority, self._context = authority, context
        self._open: set = set()
        super().__init__(("127.0.0.1", port), _Handler)
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def finish_request(self, request, client_address):
        request.settimeout(60)
        # The handshake belongs to the connection's thread: a client that stalls stalls nobody else.
        with self._context.wrap_socket(request, server_side=True) as secured:
            self._open.add(secured)
            try:
                self.RequestHandlerClass(secured, client_address, self)
            finally:
                self._open.discard(secured)

    def handle_error(self, request, client_address):
        """A client that was killed, or does not trust us, breaks its connection: that is what is tested."""

    def end(self) -> None:
        self.shutdown()
        self.server_close()
        for each in list(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
