"""The rows of the proxy: Gatehouse, nginx, Caddy and Traefik in front of one and the same nginx, with access logs off in all of them."""

from __future__ import annotations

import http.client
import pathlib
import re
import subprocess
import time

from .rows import Plan, costed, counted, in_turn
from .peers import Caddy, Nginx, PeersRow, Secure, SecureGatehouse, h2load, resident_mb, row, versions as secure_versions
from .servers import Server
from .tools import ROOT, lines, wrk

PEERS = ("nginx", "Caddy", "Traefik")
ANSWER = '{"message":"a few bytes"}'
USERS = 64
# Somewhere below which nobody has to be signed in and nothing is counted, and somewhere below which both is so. To the peers it is all one.
OPEN, GUARDED = "/open", "/guarded"


class Upstream(Nginx):
    """The application: a few bytes everywhere, a mebibyte where the path ends with it, and nothing where only agreement is asked for."""

    name = "upstream"
    health = "/small"

    def http(self):
        (self.folder / "mebibyte").write_bytes(bytes(range(256)) * 4096)
        return f"""
    server {{
        listen 127.0.0.1:{self.port};
        location / {{ return 200 '{ANSWER}'; }}
        location = /agree {{ return 204; }}
        location ~ mebibyte$ {{ root {self.folder}; rewrite .* /mebibyte break; }}
    }}"""

    def _serves(self):
        return True


class Proxy(Secure):
    """Passes everything to the application, which answers this too."""

    health = OPEN + "/small"

    def __init__(self, upstream: Upstream):
        super().__init__()
        self.upstream = upstream


class ProxyGatehouse(SecureGatehouse):
    health = OPEN + "/small"

    def __init__(self, upstream: Upstream):
        super().__init__()
        self.upstream = upstream

    def command(self):
        command = super().command()
        config = pathlib.Path(command[-1])
        site = f'upstream = "http://127.0.0.1:{self.upstream.port}"\n'
        text = config.read_text().replace("[tls]\n", "[tls]\nredirect = false\n")
        text = text.replace("[listen]\n", '[listen]\ntrusted_proxies = ["127.0.0.0/8"]\n')
        text += '[limits.policies.site]\nlimit = 1000000\nwindow = "1s"\n'
        text += f'[[site]]\npath = "{OPEN}"\naccess = "public"\nlimits = []\n{site}'
        config.write_text(text + f'[[site]]\npath = "{GUARDED}"\naccess = "signed-in"\nlimits = ["site"]\n{site}')
        return command


class ProxyNginx(Proxy, Nginx):
    def http(self):
        return f"""
    upstream application {{ server 127.0.0.1:{self.upstream.port}; keepalive 256; keepalive_requests 1000000000; }}
    {self.pool()}
    proxy_max_temp_file_size 0;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Host $http_host;
    server {{{self.listening()}
        location / {{
            {self.question()}
            proxy_pass http://application;
        }}
        {self.asking()}
    }}"""

    def pool(self) -> str:
        return ""

    def question(self) -> str:
        return ""

    def asking(self) -> str:
        return ""


class AskingNginx(ProxyNginx):
    """With `auth_request`. `name` is the column that it stands in."""

    def __init__(self, upstream: Upstream, name: str, asked: Server, path: str):
        super().__init__(upstream)
        self.name, self.asked, self.path = name, asked, path

    def pool(self):
        return f"upstream asked {{ server 127.0.0.1:{self.asked.port}; keepalive 256; keepalive_requests 1000000000; }}"

    def question(self):
        return "auth_request /.ask;"

    def asking(self):
        return f"""location = /.ask {{
            internal;
            proxy_pass http://asked{self.path};
            proxy_pass_request_body off;
            proxy_set_header Connection "";
            proxy_set_header Content-Length "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $http_host;
            proxy_set_header X-Original-URL $scheme://$http_host$request_uri;
        }}"""


class ProxyCaddy(Proxy, Caddy):
    def site(self):
        # It keeps 32 idle connections to an application by default: too few for this load.
        return f"reverse_proxy 127.0.0.1:{self.upstream.port} {{\n        transport http {{\n            keepalive_idle_conns_per_host 256\n        }}\n    }}"


class Traefik(Proxy):
    name = "Traefik"
    binary = ROOT / ".venv-bench/bin/traefik"

    def command(self):
        (self.folder / "dynamic.yaml").write_text(f"""
http:
  routers:
    plain: {{ rule: "PathPrefix(`/`)", entryPoints: [web], service: application }}
    secure: {{ rule: "PathPrefix(`/`)", entryPoints: [websecure], service: application, tls: {{}} }}
  serversTransports:
    kept: {{ maxIdleConnsPerHost: 256 }}
  services:
    application:
      loadBalancer:
        serversTransport: kept
        servers: [{{ url: "http://127.0.0.1:{self.upstream.port}" }}]
tls:
  certificates:
    - {{ certFile: {self.certificate}, keyFile: {self.key} }}
""")
        return [str(self.binary), f"--entrypoints.web.address=127.0.0.1:{self.port}", f"--entrypoints.websecure.address=127.0.0.1:{self.secure_port}",
                f"--providers.file.filename={self.folder}/dynamic.yaml", "--providers.file.watch=false", "--global.checknewversion=false",
                "--global.sendanonymoususage=false", "--log.level=ERROR"]

    @classmethod
    def version(cls) -> str:
        told = subprocess.run([str(cls.binary), "version"], capture_output=True, text=True, check=True).stdout
        return re.search(r"Version:\s*(\S+)", told)[1]


def loaded(path: str, scheme: str = "http"):
    """The same requests to each server: of all users in turn, with their bearer tokens."""

    def work(server: Secure, seconds: float, users: list[dict]) -> dict:
        tokens = lines("proxy-tokens.txt", [f"{path} {user['access']}" for user in users])
        port = server.secure_port if scheme == "https" else server.port
        return wrk(port, "/", seconds, 64, "bearer", scheme=scheme, TOKENS=tokens, AUTH_PREFIX="Bearer ")

    return work


def anonymous(path: str):
    return lambda server, seconds, users: wrk(server.port, path, seconds, 64)


def streams(path: str):
    """HTTP/2, with one user's token."""
    return lambda server, seconds, users: h2load(
        server, path, seconds, 32, "-H", f"authorization: Bearer {users[0]['access']}", "-w", "20", "-W", "24")


def kinds() -> list[tuple[PeersRow, object]]:
    marks = {"nginx": 0.7, "Caddy": 2, "Traefik": 2}
    return [
        (row("small, everyone may pass, no limits", **marks), anonymous(OPEN + "/small")),
        (row("small, signed in and limited", **marks), loaded(GUARDED + "/small")),
        (row("1 MiB, signed in and limited"), loaded(GUARDED + "/mebibyte")),
        (row("HTTPS, small, signed in and limited"), loaded(GUARDED + "/small", "https")),
        (row("HTTPS, 1 MiB, signed in and limited"), loaded(GUARDED + "/mebibyte", "https")),
        (row("HTTP/2, small, signed in and limited"), streams(GUARDED + "/small")),
        (row("HTTP/2, 1 MiB, signed in and limited"), streams(GUARDED + "/mebibyte")),
    ]


def verify(servers: list[Secure], user: dict) -> None:
    """That each really passes on what it is measured by."""
    for server in servers:
        for path, length in ((OPEN + "/small", len(ANSWER)), (GUARDED + "/small", len(ANSWER)), (GUARDED + "/mebibyte", 1 << 20)):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            connection.request("GET", path, headers={"Authorization": f"Bearer {user['access']}"})
            answer = connection.getresponse()
            if (answer.status, len(answer.read())) != (200, length):
                raise RuntimeError(f"{server.name} answers {path} with {answer.status}")
            connection.close()


def measured(plan: Plan, tell) -> list[PeersRow]:
    """Each kind of work: the servers in turn, round after round. nginx, the application, is the same for all."""
    upstream = Upstream()
    gatehouse = ProxyGatehouse(upstream)
    servers: list[Secure] = [gatehouse, ProxyNginx(upstream), ProxyCaddy(upstream), Traefik(upstream)]
    asking = [AskingNginx(upstream, "Gatehouse", gatehouse, "/api/v1/auth/verify"), AskingNginx(upstream, "nginx", upstream, "/agree")]
    memories = [row("memory after these, of all its processes", "MB"), row("memory five seconds later", "MB")]
    asked = row("nginx with `auth_request`, asking each")
    direct = row("forward-auth, asked directly")
    rows = kinds()
    try:
        upstream.start()
        for server in servers:
            server.start()
        gatehouse.add_users(USERS)
        verify(servers, gatehouse.users[0])
        for each, work in rows:
            for server in in_turn(plan, servers):
                costed(each, server, lambda: work(server, plan.seconds, gatehouse.users))
            tell([each])
        for server in in_turn(plan, [gatehouse]):
            costed(direct, server, lambda: loaded("/api/v1/auth/verify")(server, plan.seconds, gatehouse.users))
        tell([direct])
        for memory in memories:
            for server in servers:
                memory.add(server.name, resident_mb(server.process.pid))
            time.sleep(5)
        for server in asking:
            server.start()
        for server in in_turn(plan, asking):
            counted(asked, server, loaded(OPEN + "/small")(server, plan.seconds, gatehouse.users))
        tell([asked])
    finally:
        for server in [*asking, *servers, upstream]:
            server.close()
    return [each for each, _ in rows] + [direct, asked, *memories]


def versions() -> dict[str, str]:
    return secure_versions() | {"Traefik": Traefik.version()}


__all__ = ["PEERS", "measured", "versions"]
