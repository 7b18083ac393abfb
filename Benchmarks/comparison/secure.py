"""The rows of HTTPS: Gatehouse, nginx and Caddy with the same key, the same small answer, and access logs off in all three."""

from __future__ import annotations

import json
import subprocess

from .peers import Caddy, Nginx, PeersRow, Secure, SecureGatehouse, h2load, resident_mb, row, versions
from .rows import Plan, costed, in_turn
from .tools import CORES, LOAD, RESULTS, wrk

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


class AnsweringNginx(Nginx):
    def http(self):
        fields = "\n".join(f'    add_header {name} "{value}";' for name, value in FIELDS.items())
        return f"""
{fields}
    add_header X-Request-Id $request_id;
    server {{{self.listening()}
        location = {self.health} {{ return 200 '{ANSWER}'; }}
    }}"""


class AnsweringCaddy(Caddy):
    def site(self):
        fields = "\n".join(f'        {name} "{value}"' for name, value in FIELDS.items())
        return f"""header {{
        Content-Type application/json
{fields}
        X-Request-Id {{http.request.uuid}}
    }}
    respond {self.health} `{ANSWER}` 200"""


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


def kept_alive(server: Secure, seconds: float) -> dict:
    return wrk(server.secure_port, server.health, seconds, 64, scheme="https")


def measured(plan: Plan, tell) -> list[PeersRow]:
    """Each kind of work: the servers in turn, round after round."""
    kinds = [
        (row("TLS 1.3, kept alive", Caddy=1.7, nginx=0.8), kept_alive),
        (row("full TLS 1.3 handshakes, P-256, one request each", "handshakes/s", Caddy=1.3, nginx=0.8),
         lambda server, seconds: handshakes(server, seconds, "full")),
        (row("resumed TLS 1.3 handshakes, one request each", "handshakes/s"), lambda server, seconds: handshakes(server, seconds, "resumed")),
        (row("HTTP/2, `h2load -c 32 -m 10`"), lambda server, seconds: h2load(server, server.health, seconds, 32)),
        (row("HTTP/2, `h2load -c 64 -m 10`"), lambda server, seconds: h2load(server, server.health, seconds, 64)),
    ]
    memory = row("memory after these, of all its processes", "MB")
    servers: list[Secure] = [SecureGatehouse(), AnsweringNginx(), AnsweringCaddy()]
    try:
        for server in servers:
            server.start()
        for each, work in kinds:
            for server in in_turn(plan, servers):
                costed(each, server, lambda: work(server, plan.seconds))
            tell([each])
        for server in servers:
            memory.add(server.name, resident_mb(server.process.pid))
    finally:
        for server in servers:
            server.close()
    return [each for each, _ in kinds] + [memory]


__all__ = ["PeersRow", "measured", "versions"]
