"""What the rows of HTTPS and those of the proxy share: servers with one key and certificate, nginx and Caddy among them, and their load."""

from __future__ import annotations

import dataclasses
import http.client
import os
import pathlib
import re
import ssl
import subprocess
import time

from .rows import Row
from .servers import Gatehouse, Server
from .tools import RESULTS, free_port


@dataclasses.dataclass
class PeersRow(Row):
    """A row with several peers, and for each the ratio to reach, if any."""

    factors: dict[str, float] = dataclasses.field(default_factory=dict)

    def ratio_to(self, peer: str) -> float | None:
        return self.median("Gatehouse") / self.median(peer) if self.median(peer) and self.median("Gatehouse") else None

    def is_reached(self) -> bool | None:
        if not self.factors:
            return None
        return all(self.ratio_to(peer) >= factor for peer, factor in self.factors.items())


def row(name: str, unit: str = "requests/s", **factors: float) -> PeersRow:
    return PeersRow(name, unit, ", ".join(f"≥ {factor:g} × {peer}" for peer, factor in factors.items()), factors=factors)


class Secure(Server):
    """A server that also listens for HTTPS on `secure_port`, with the certificate and the key that all share."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.secure_port = free_port()
        self.certificate, self.key = shared_pair()

    def start(self) -> float:
        begun = time.monotonic()
        seconds = super().start()
        while not self._serves():
            if time.monotonic() - begun > 30:
                raise RuntimeError(f"{self.name} gave no answer over HTTPS:\n{(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.01)
        return seconds

    def processor_seconds(self) -> float:
        """With those of its children that live."""
        return sum(processor_seconds(pid) for pid in family(self.process.pid))

    def _serves(self) -> bool:
        context = ssl.create_default_context(cafile=self.certificate)
        try:
            connection = http.client.HTTPSConnection("localhost", self.secure_port, timeout=5, context=context)
            connection.request("GET", self.health)
            return connection.getresponse().status == 200
        except OSError:
            return False


def shared_pair() -> tuple[pathlib.Path, pathlib.Path]:
    """A P-256 key and its certificate, made once."""
    certificate, key = RESULTS / "localhost.pem", RESULTS / "localhost.key"
    if not (certificate.exists() and key.exists()):
        RESULTS.mkdir(exist_ok=True)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "365", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


class SecureGatehouse(Secure, Gatehouse):
    def command(self):
        command = super().command()
        path = pathlib.Path(command[-1])
        text = path.read_text()
        text = text.replace("http://127.0.0.1:", "https://localhost:", 1)
        text = text.replace("[listen]\n", f'[listen]\nhttps = ["127.0.0.1:{self.secure_port}"]\n', 1)
        path.write_text(text + f'[tls]\nmode = "files"\ncertificate = ["{self.certificate}"]\nkey = ["{self.key}"]\n')
        return command


class Nginx(Secure):
    name = "nginx"

    def http(self) -> str:
        """What stands in its `http` block beside the usual."""
        raise NotImplementedError

    def listening(self) -> str:
        """In its `server` block, where it serves plain HTTP and HTTPS."""
        return f"""
        listen 127.0.0.1:{self.port};
        listen 127.0.0.1:{self.secure_port} ssl http2;
        ssl_certificate {self.certificate};
        ssl_certificate_key {self.key};
        ssl_protocols TLSv1.2 TLSv1.3;"""

    def command(self):
        config = self.folder / "nginx.conf"
        places = " ".join(f"{key}_temp_path {self.folder}/{key};" for key in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config.write_text(f"""
daemon off;
worker_processes auto;
worker_rlimit_nofile 20000;
pid {self.folder}/pid;
error_log {self.folder}/log crit;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    sendfile on;
    keepalive_requests 1000000000;
    default_type application/json;
    {places}
    {self.http()}
}}
""")
        return ["nginx", "-c", str(config)]

    def start(self) -> float:
        # Its process of many users would not read a folder that only we can.
        os.chmod(self.folder, 0o755)
        return super().start()

    @classmethod
    def version(cls) -> str:
        told = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True)
        return re.search(r"nginx/(\S+)", told.stderr)[1]


class Caddy(Secure):
    name = "Caddy"

    def site(self) -> str:
        """What it does with a request."""
        raise NotImplementedError

    def command(self):
        config = self.folder / "Caddyfile"
        config.write_text(f"""
{{
    admin off
    auto_https off
    servers {{
        protocols h1 h2
    }}
}}
http://127.0.0.1:{self.port} {{
    {self.site()}
}}
https://localhost:{self.secure_port}, https://127.0.0.1:{self.secure_port} {{
    bind 127.0.0.1
    tls {self.certificate} {self.key}
    {self.site()}
}}
""")
        # It keeps its own things below the home folder otherwise.
        return ["env", f"HOME={self.folder}", f"XDG_DATA_HOME={self.folder}", f"XDG_CONFIG_HOME={self.folder}", "caddy", "run", "--config", str(config)]

    @classmethod
    def version(cls) -> str:
        return subprocess.run(["caddy", "version"], capture_output=True, text=True, check=True).stdout.split()[0]


def h2load(server: Secure, path: str, seconds: float, connections: int, *options: str) -> dict:
    done = subprocess.run(
        ["h2load", "-t2", f"-c{connections}", "-m10", f"-D{max(1, round(seconds))}", "--warm-up-time=1", *options, "--connect-to",
         f"127.0.0.1:{server.secure_port}", f"https://localhost:{server.secure_port}{path}"], capture_output=True, text=True, check=True)
    rate = re.search(r"([\d.]+) req/s", done.stdout)
    counts = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored", done.stdout)
    refused = sum(int(number) for number in re.search(r"(\d+) 3xx, (\d+) 4xx, (\d+) 5xx", done.stdout).groups())
    if "Application protocol: h2" not in done.stdout:
        raise RuntimeError(f"{server.name} does not speak HTTP/2:\n{done.stdout}")
    served = float(rate[1]) * (max(1, round(seconds)) + 1)
    return {"rate": float(rate[1]), "requests": int(counts[1]), "served": served, "refused": refused, "broken": int(counts[2])}


def family(pid: int) -> list[int]:
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in family(int(child)))]


def processor_seconds(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Of a process and its children; what they share is counted once."""
    told = "".join(pathlib.Path(f"/proc/{each}/smaps_rollup").read_text() for each in family(pid))
    return sum(int(line.split()[1]) for line in told.splitlines() if line.startswith("Pss:")) / 1000


def versions() -> dict[str, str]:
    return {kind.name: kind.version() for kind in (Gatehouse, Nginx, Caddy)} | {"OpenSSL": ssl.OPENSSL_VERSION.split()[1]}
