"""Pebble, the ACME server that is hostile on purpose, and the resolver through which it looks for us."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import time

import requests
from cryptography import x509

from certificates import Root
from gate import free_port

# Half of the nonces refused, nothing validated earlier believed, three intermediates to a chain, and a second root to choose.
HOSTILE = {
    "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "50", "PEBBLE_AUTHZREUSE": "0", "PEBBLE_CHAIN_LENGTH": "3",
    "PEBBLE_ALTERNATE_ROOTS": "1",
}


class Pebble:
    """Both processes. They validate on the ports given, at 127.0.0.1 for whatever name."""

    def __init__(self, folder: pathlib.Path, http_port: int, tls_port: int, environment: dict | None = None, **settings):
        """`settings`: keys of Pebble's own configuration, in lower camel case."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.log = folder / "pebble.log"
        self.root = Root(folder, "Pebble's own server")
        certificate, key = self.root.write("server", ["localhost", "127.0.0.1"])
        self.port, self._management, self._dns, self._dns_management = (free_port() for _ in range(4))
        self.directory = f"https://localhost:{self.port}/dir"
        self._environment = {**os.environ, **HOSTILE, **(environment or {})}
        self._settings = {
            "listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{self._management}",
            "certificate": str(certificate), "privateKey": str(key), "httpPort": http_port, "tlsPort": tls_port,
            "ocspResponderURL": "", "externalAccountBindingRequired": False, **settings,
        }
        self._processes: list[subprocess.Popen] = []

    def start(self) -> "Pebble":
        (self.folder / "pebble.json").write_text(json.dumps({"pebble": self._settings}))
        self._spawn(
            "pebble-challtestsrv", "-http01", "", "-https01", "", "-tlsalpn01", "", "-dns01", f"127.0.0.1:{self._dns}",
            "-management", f"127.0.0.1:{self._dns_management}", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "")
        self._await(lambda: requests.post(f"http://127.0.0.1:{self._dns_management}/clear-a", json={"host": "none.test"}, timeout=5))
        self._spawn("pebble", "-config", self.folder / "pebble.json", "-dnsserver", f"127.0.0.1:{self._dns}", "-strict")
        self._await(lambda: requests.get(self.directory, verify=self.root.file, timeout=5).raise_for_status())
        return self

    def _spawn(self, *command) -> None:
        with open(self.log, "ab") as log:
            self._processes.append(subprocess.Popen(
                [str(part) for part in command], env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT))

    def _await(self, attempt, within: float = 20) -> None:
        deadline = time.monotonic() + within
        while True:
            try:
                return attempt()
            except requests.RequestException:
                gone = [process.args[0] for process in self._processes if process.poll() is not None]
                assert not gone and time.monotonic() < deadline, f"{gone} left, or too slow:\n{self.log.read_text()[-2000:]}"
                time.sleep(0.01)

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
        self._processes.clear()

    def restart(self) -> "Pebble":
        """It forgets everything: accounts, orders, and its own root."""
        self.stop()
        return self.start()

    @property
    def resolver_address(self) -> str:
        return f"127.0.0.1:{self._dns}"

    def resolver(self, call: str, **body) -> None:
        """A call on the resolver: `set-servfail`, `add-a`, `add-caa` …"""
        requests.post(f"http://127.0.0.1:{self._dns_management}/{call}", json=body, timeout=5).raise_for_status()

    def issuing_root(self, number: int = 0) -> x509.Certificate:
        """The root of the chain of that number; 0 is the default chain."""
        answer = requests.get(f"https://localhost:{self._management}/roots/{number}", verify=self.root.file, timeout=5)
        answer.raise_for_status()
        return x509.load_pem_x509_certificate(answer.content)

    def close(self) -> None:
        self.stop()
