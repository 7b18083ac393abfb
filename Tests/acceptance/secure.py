"""A server with HTTPS, and what looks at its handshakes."""

from __future__ import annotations

import pathlib
import socket
import ssl
import subprocess

from cryptography import x509

from certificates import Root
from gate import QUICK, Gatehouse, free_port, merged
from raw import Connection

NAMES = ["gate.test", "localhost", "127.0.0.1"]


class SecureGatehouse(Gatehouse):
    """Serves HTTPS too, with certificates from files: of `gate.test`, and where asked of further names."""

    def __init__(self, folder: pathlib.Path, settings: dict | None = None, further: dict[str, list[str]] | None = None, **more):
        """`further`: stem of the file, and the names of another certificate."""
        self.https_port = free_port()
        self.root = Root(folder / "pki")
        self.ca_file = self.root.file
        pairs = [self.root.write("gate", NAMES)]
        pairs += [self.root.write(stem, names) for stem, names in (further or {}).items()]
        self.public_url = f"https://gate.test:{self.https_port}"
        secure = {
            "public_url": self.public_url,
            "listen": {"https": [f"127.0.0.1:{self.https_port}"]},
            "tls": {"mode": "files", "certificate": [str(pair[0]) for pair in pairs], "key": [str(pair[1]) for pair in pairs]},
        }
        super().__init__(folder, merged(QUICK, secure, settings or {}), **more)

    def is_running(self) -> bool:
        return self.process.poll() is None


def context(ca_file=None, alpn: tuple[str, ...] = ("http/1.1",), version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """A client's. Without a root it verifies nothing."""
    made = ssl.create_default_context(cafile=ca_file) if ca_file else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not ca_file:
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    if version:
        made.minimum_version = made.maximum_version = version
    if alpn:
        made.set_alpn_protocols(list(alpn))
    return made


class SecureConnection(Connection):
    """HTTP/1.1 in TLS. The end of the stream without a close_notify is an error (`ssl.SSLEOFError`), not the end."""

    def __init__(self, port: int, name: str | None = "gate.test", tls: ssl.SSLContext | None = None, timeout: float = 10, session=None):
        super().__init__(port, timeout)
        made = tls or context()
        try:
            self.socket = made.wrap_socket(self.socket, server_hostname=name, suppress_ragged_eofs=False, session=session)
        except BaseException:
            self.socket.close()
            raise

    def certificate(self) -> x509.Certificate:
        return x509.load_der_x509_certificate(self.socket.getpeercert(binary_form=True))


def get(path: str = "/health", *fields: str, host: str = "gate.test") -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", f"Host: {host}", *fields, "", ""]).encode()


def served(port: int, name: str | None = "gate.test", alpn: tuple[str, ...] = ("http/1.1",)) -> x509.Certificate:
    """The certificate that a handshake for this name is answered with."""
    with SecureConnection(port, name, context(alpn=alpn)) as connection:
        return connection.certificate()


def s_client(port: int, *options: str, text: str | bytes = "", name: str = "gate.test", within: float = 20) -> str:
    """openssl s_client's output, whatever its exit code: the handshake, and what came back."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *(["-servername", name] if name else ["-noservername"]), *options],
        input=text.encode() if isinstance(text, str) else text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=within)
    return done.stdout.decode(errors="replace")


def client_hello(name: str = "gate.test") -> bytes:
    """The first record of a client, as OpenSSL writes it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context().wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def connected(port: int, timeout: float = 5, source: str | None = None) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=timeout, source_address=(source, 0) if source else None)
