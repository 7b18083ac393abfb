"""A server that has its certificates from an authority, and what is asked of it."""

from __future__ import annotations

import pathlib
import time

from cryptography import x509

from authority import Authority
from certificates import common_name, fingerprint
from gate import QUICK, Gatehouse, free_port, merged
from secure import served
from waiting import eventually

NAME = "gate.test"


class OrderingGatehouse(Gatehouse):
    """`tls.mode = "acme"`. Its ports are those on which the authority validates, and stay the same over restarts."""

    def __init__(self, folder: pathlib.Path, ports: tuple[int, int], authority: Authority, settings: dict | None = None, env: dict | None = None,
                 **more):
        self.moved, self._of_the_server = env or {}, {}
        self.http_port, self.https_port = ports
        self.authority = authority
        folder.mkdir(parents=True, exist_ok=True)
        self.public_url = f"https://{NAME}:{self.https_port}"
        ordering = {
            "public_url": self.public_url,
            "listen": {"http": [f"127.0.0.1:{self.http_port}"], "https": [f"127.0.0.1:{self.https_port}"]},
            "tls": {"mode": "acme"},
            "acme": {"email": "operator@example.com", "directory": authority.directory, "ca_file": str(authority.ca_file)},
        }
        super().__init__(folder, merged(QUICK, ordering, settings or {}), **more)
        self.port, self.url = self.http_port, f"http://127.0.0.1:{self.http_port}"

    def environment(self) -> dict:
        return {**super().environment(), **self._of_the_server}

    def spawn(self):
        # A moved clock is the server's own: commands speak with it, and have none.
        self._of_the_server = self.moved
        try:
            return super().spawn()
        finally:
            self._of_the_server = {}

    def wait_ready(self, within: float = 15) -> None:
        # With an expired certificate it is not ready, and yet serves.
        super().wait_ready(within, "/api/v1/health/live")

    # What it serves and says

    def leaf(self, name: str = NAME) -> x509.Certificate:
        return served(self.https_port, name)

    def is_trusted(self, name: str = NAME) -> bool:
        """Whether what it serves is signed by an authority rather than by itself."""
        leaf = self.leaf(name)
        return leaf.issuer != leaf.subject and common_name(leaf.issuer).startswith("Pebble")

    def wait_trusted(self, within: float = 30) -> x509.Certificate:
        def trusted():
            assert self.process.poll() is None, self.log_text()[-3000:]
            return self.is_trusted()

        eventually(trusted, within)
        return self.leaf()

    def wait_renewed(self, before: x509.Certificate, within: float = 30) -> x509.Certificate:
        eventually(lambda: fingerprint(self.leaf()) != fingerprint(before), within)
        return self.leaf()

    def status(self) -> dict:
        """`cert status` of the one certificate."""
        (certificate,) = self.run_json("cert", "status")["certificates"]
        return certificate

    def problem(self) -> dict | None:
        return self.status()["last_problem"]

    def wait_problem(self, within: float = 30) -> dict:
        return eventually(self.problem, within)

    def renew(self, *options: str, within: float = 60):
        return self.run("cert", "renew", *options, within=within)

    def challenge(self, token: str, host: str = NAME):
        return self.call("GET", f"/.well-known/acme-challenge/{token}", headers={"Host": host})

    def acme_files(self) -> list[pathlib.Path]:
        return sorted(path for path in (self.data / "acme").rglob("*") if path.is_file())


def ports() -> tuple[int, int]:
    """For plain HTTP and for HTTPS."""
    return free_port(), free_port()


def settle(seconds: float = 1.0) -> None:
    """Gives what must not happen the time to happen."""
    time.sleep(seconds)
