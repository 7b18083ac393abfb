"""The rows of HTTPS: Gatehouse, nginx and Caddy with the same key, the same small answer, and access logs off in all three."""

from __future__ import annotations

import dataclasses
import http.client
import json
import os
import pathlib
import re
import ssl
import subprocess
import time

from .rows import Plan, Row, counted, in_turn
from .servers import Gatehouse, Server
from .tools import CORES, LOAD, RESULTS, free_port, wrk

# As long as Gatehouse's own, which has the time in it.
ANSWER = '{"status":"ok","timestamp":"2026-11-21T00:00:00.000Z"}'

# The fields that Gatehouse sends with it, for its peers to send too: the work is the same only where the answer is.
FIELDS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Strict-Transport-Security": "max-age=31536000",
}


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


def row(name: str, unit: str, caddy: float | None = None, nginx: float | None = None) -> PeersRow:
    factors = {peer: factor for peer, factor in (("Caddy", caddy), ("nginx", nginx)) if factor}
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

    def command(self):
        config = self.folder / "nginx.conf"
        fields = "\n".join(f'    add_header {name} "{value}";' for name, value in FIELDS.items())
        places = "\n".join(f"{key}_temp_path {self.folder}/{key};" for key in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config.write_text(f"""
daemon off;
worker_processes auto;
worker_rlimit_nofile 20000;
pid {self.folder}/pid;
error_log {self.folder}/log crit;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    {places}
    keepalive_requests 1000000000;
    default_type application/json;
{fields}
    add_header X-Request-Id $request_id;
    server {{
        listen 127.0.0.1:{self.port};
        listen 127.0.0.1:{self.secure_port} ssl http2;
        ssl_certificate {self.certificate};
        ssl_certificate_key {self.key};
        ssl_protocols TLSv1.2 TLSv1.3;
        location = {self.health} {{ return 200 '{ANSWER}'; }}
    }}
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

    def command(self):
        config = self.folder / "Caddyfile"
        fields = "\n".join(f'        {name} "{value}"' for name, value in FIELDS.items())
        answer = f"""header {{
        Content-Type application/json
{fields}
        X-Request-Id {{http.request.uuid}}
    }}
    respond {self.health} `{ANSWER}` 200"""
        config.write_text(f"""
{{
    admin off
    auto_https off
    servers {{
        protocols h1 h2
    }}
}}
http://127.0.0.1:{self.port} {{
    {answer}
}}
https://localhost:{self.secure_port}, https://127.0.0.1:{self.secure_port} {{
    bind 127.0.0.1
    tls {self.certificate} {self.key}
    {answer}
}}
""")
        # It keeps its own things below the home folder otherwise.
        return ["env", f"HOME={self.folder}", f"XDG_DATA_HOME={self.folder}", f"XDG_CONFIG_HOME={self.folder}", "caddy", "run", "--config", str(config)]

    @classmethod
    def version(cls) -> str:
        return subprocess.run(["caddy", "version"], capture_output=True, text=True, check=True).stdout.split()[0]


def handshakes(server: Secure, seconds: float, kind: str) -> dict:
    program, source = RESULTS / "handshakes", LOAD / "handshakes.c"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        subprocess.run(["gcc", "-O2", "-o", str(program), str(source), "-lcrypto"], check=True)
    done = subprocess.run(
        [str(program), str(server.secure_port), server.health, f"{seconds:g}", "64", str(max(1, CORES // 2)), kind], capture_output=True, text=True,
        check=True)
    report = json.loads(done.stdout)
    report["rate"] = report["requests"] / report["seconds"]
    return report


def h2load(server: Secure, seconds: float, connections: int) -> dict:
    done = subprocess.run(
        ["h2load", "-t2", f"-c{connections}", "-m10", f"-D{max(1, round(seconds))}", "--warm-up-time=1", "--connect-to", f"127.0.0.1:{server.secure_port}",
         f"https://localhost:{server.secure_port}{server.health}"], capture_output=True, text=True, check=True)
    rate = re.search(r"([\d.]+) req/s", done.stdout)
    counts = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored", done.stdout)
    refused = sum(int(number) for number in re.search(r"(\d+) 3xx, (\d+) 4xx, (\d+) 5xx", done.stdout).groups())
    if "Application protocol: h2" not in done.stdout:
        raise RuntimeError(f"{server.name} does not speak HTTP/2:\n{done.stdout}")
    return {"rate": float(rate[1]), "requests": int(counts[1]), "refused": refused, "broken": int(counts[2])}


def kept_alive(server: Secure, seconds: float) -> dict:
    return wrk(server.secure_port, server.health, seconds, 64, scheme="https")


def measured(plan: Plan, tell) -> list[PeersRow]:
    """Each kind of work: the servers in turn, round after round."""
    kinds = [
        (row("TLS 1.3, kept alive", "requests/s", caddy=1.7, nginx=0.8), kept_alive),
        (row("full TLS 1.3 handshakes, P-256, one request each", "handshakes/s", caddy=1.3, nginx=0.8),
         lambda server, seconds: handshakes(server, seconds, "full")),
        (row("resumed TLS 1.3 handshakes, one request each", "handshakes/s"), lambda server, seconds: handshakes(server, seconds, "resumed")),
        (row("HTTP/2, `h2load -c 32 -m 10`", "requests/s"), lambda server, seconds: h2load(server, seconds, 32)),
        (row("HTTP/2, `h2load -c 64 -m 10`", "requests/s"), lambda server, seconds: h2load(server, seconds, 64)),
    ]
    memory = row("memory after these, of all its processes", "MB")
    servers: list[Secure] = [SecureGatehouse(), Nginx(), Caddy()]
    try:
        for server in servers:
            server.start()
        for each, work in kinds:
            for server in in_turn(plan, servers):
                counted(each, server, work(server, plan.seconds))
            tell([each])
        for server in servers:
            memory.add(server.name, resident_mb(server.process.pid))
    finally:
        for server in servers:
            server.close()
    return [each for each, _ in kinds] + [memory]


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


__all__ = ["PeersRow", "measured", "versions"]
