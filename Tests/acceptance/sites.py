"""A server with sites, and clients that ask it over each of its protocols."""

from __future__ import annotations

import pathlib
import re

import requests

from framed import Framed
from gate import PASSWORD, merged
from raw import Answer, Connection
from secure import SecureConnection, SecureGatehouse, context

HOST = "app.test"
PROTOCOLS = ("http", "https", "h2")


class SiteGatehouse(SecureGatehouse):
    """Serves its sites over plain HTTP too. `sites` are the tables of the configuration; `app.test` where no host is given."""

    def __init__(self, folder: pathlib.Path, sites: list[dict], settings: dict | None = None, further: dict[str, list[str]] | None = None, **more):
        wide = {"limit": 1_000_000, "window": "1s"}
        base = {"tls": {"redirect": False}, "limits": {"policies": {"site": wide}}, "site": [self.completed(each) for each in sites]}
        further = {"apps": [HOST, "*.apps.test", "other.test"], **(further or {})}
        super().__init__(folder, merged(base, settings or {}), further=further, **more)
        self._users: list[User] = []

    @staticmethod
    def completed(site: dict) -> dict:
        return {"host": HOST, **site}

    def set_sites(self, sites: list[dict]) -> None:
        """Written to the configuration; in force after a reload or a start."""
        self.settings["site"] = [self.completed(each) for each in sites]
        self.write_config()

    def user(self) -> "User":
        """Somebody who is signed in, made once."""
        if not self._users:
            self._users.append(self.new_user())
        return self._users[0]

    def new_user(self, **more) -> "User":
        email = self.address()
        made = self.register(email, **more)
        return User(self, email, made)

    def client(self, protocol: str, host: str = HOST, timeout: float = 10) -> "Client":
        return {"http": PlainClient, "https": SecureClient, "h2": StreamClient}[protocol](self, host, timeout)

    def authority(self, protocol: str, host: str = HOST) -> str:
        return f"{host}:{self.port if protocol == 'http' else self.https_port}"

    def origin(self, protocol: str, host: str = HOST) -> str:
        return f"{'http' if protocol == 'http' else 'https'}://{self.authority(protocol, host)}"


class User:
    """An account with a session: its access token, and its cookie."""

    def __init__(self, server: SiteGatehouse, email: str, made: dict):
        self.server, self.email, self.id, self.session = server, email, made["user"]["id"], made["session_id"]
        self.token = made["access_token"]
        self.bearer = ("authorization", f"Bearer {self.token}")
        answer = server.login(email, PASSWORD)
        assert answer.status_code == 200, answer.text
        (name, value) = re.match("([^=]+)=([^;]+)", answer.headers["Set-Cookie"]).groups()
        self.cookie = ("cookie", f"{name}={value}")
        self.cookie_name = name
        self.cookie_session, self.cookie_token = answer.json()["session_id"], answer.json()["access_token"]


class Client:
    """One connection. Fields are pairs of name and value."""

    protocol: str

    def __init__(self, server: SiteGatehouse, host: str, timeout: float):
        self.server, self.authority, self.timeout = server, server.authority(self.protocol, host), timeout
        self.origin = server.origin(self.protocol, host)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    @property
    def socket(self):
        raise NotImplementedError

    def ask(self, method: str, path: str, *fields: tuple[str, str], body: bytes | None = None, trailers=None) -> Answer:
        raise NotImplementedError

    def get(self, path: str, *fields: tuple[str, str]) -> Answer:
        return self.ask("GET", path, *fields)


class PlainClient(Client):
    protocol = "http"

    def __init__(self, server, host, timeout):
        super().__init__(server, host, timeout)
        self.connection = self._connect()

    def _connect(self) -> Connection:
        return Connection(self.server.port, self.timeout)

    @property
    def socket(self):
        return self.connection.socket

    def head(self, method: str, path: str, *fields: tuple[str, str]) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.authority}", *(f"{name}: {value}" for name, value in fields), "", ""]
        return "\r\n".join(lines).encode("latin-1")

    def ask(self, method, path, *fields, body=None, trailers=None):
        if trailers is not None:
            fields += (("transfer-encoding", "chunked"),)
            end = "".join(f"{name}: {value}\r\n" for name, value in trailers)
            data = b"%x\r\n%b\r\n0\r\n%b\r\n" % (len(body), body, end.encode())
        else:
            data = body or b""
            fields += (("content-length", str(len(data))),) if body is not None else ()
        self.connection.send(self.head(method, path, *fields) + data)
        return self.connection.answer(head_only=method == "HEAD")


class SecureClient(PlainClient):
    protocol = "https"

    def _connect(self) -> Connection:
        return SecureConnection(self.server.https_port, self.authority.split(":")[0], tls=context(), timeout=self.timeout)


class StreamClient(Client):
    protocol = "h2"

    def __init__(self, server, host, timeout):
        super().__init__(server, host, timeout)
        self.framed = Framed(server.https_port, timeout=timeout, name=host)

    @property
    def socket(self):
        return self.framed.socket

    def fields(self, method: str, path: str, *fields: tuple[str, str]) -> list[tuple[str, str]]:
        return [(":method", method), (":scheme", "https"), (":authority", self.authority), (":path", path), *fields]

    def ask(self, method, path, *fields, body=None, trailers=None):
        stream = self.framed.request(self.fields(method, path, *fields), end=body is None and trailers is None)
        if body is not None or trailers is not None:
            self.framed.send_body(stream, body or b"", trailers=trailers)
        return self.framed.response(stream)


def browser(server: SiteGatehouse, protocol: str = "https") -> requests.Session:
    """A session that trusts the server's root. Names have to be given as addresses, and the host as a field."""
    session = requests.Session()
    session.trust_env = False
    session.verify = str(server.ca_file) if protocol != "http" else True
    return session
