"""The rows of the proxy: Gatehouse, nginx, Caddy and Traefik in front of one and the same nginx, with access logs off in all of them."""

from __future__ import annotations

import http.client
import pathlib
import re
import subprocess

from .rows import Plan, counted, in_turn
from .secure import Caddy, Nginx, PeersRow, Secure, SecureGatehouse, resident_mb, versions as secure_versions
from .servers import Server
from .tools import ROOT, free_port, lines, wrk

PEERS = ("nginx", "Caddy", "Traefik")
ANSWER = '{"message":"a few bytes"}'
USERS = 64
# Somewhere below which nobody has to be signed in and nothing is counted, and somewhere below which both is so. To the peers it is all one.
OPEN, GUARDED = "/open", "/guarded"


class Upstream(Nginx):
    """The application: a few bytes everywhere, and a mebibyte where the path ends with it."""

    name = "upstream"
    health = "/small"

    def command(self):
        command = super().command()
        config = pathlib.Path(command[-1])
        (self.folder / "mebibyte").write_bytes(bytes(range(256)) * 4096)
        text = re.sub(r"listen 127.0.0.1:\d+ ssl http2;\n *ssl_.*\n.*\n.*\n", "", config.read_text())
        text = text.replace("location = /small", f"sendfile on;\n location ~ mebibyte$ {{ root {self.folder}; rewrite .* /mebibyte break; }}\n location /")
        config.write_text(re.sub(r"return 200 '.*?'", f"return 200 '{ANSWER}'", text))
        return command

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
    # Where `auth_request` asks: nobody, or a server and its path.
    asks = ""

    def command(self):
        command = super().command()
        config = pathlib.Path(command[-1])
        guard = f"""
        location = /.ask {{
            internal;
            proxy_pass {self.asks};
            proxy_pass_request_body off;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Content-Length "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $http_host;
            proxy_set_header X-Original-URL $scheme://$http_host$request_uri;
        }}""" if self.asks else ""
        text = config.read_text().replace("http {", f"""http {{
    upstream application {{ server 127.0.0.1:{self.upstream.port}; keepalive 256; keepalive_requests 1000000000; }}
    {self.pool()}
    proxy_max_temp_file_size 0;""")
        location = f"""location / {{
            {"auth_request /.ask;" if self.asks else ""}
            proxy_pass http://application;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $http_host;
        }}{guard}"""
        config.write_text(re.sub(r"location = \S+ \{.*\}", lambda _: location, text))
        return command

    def pool(self) -> str:
        return ""


class AskingNginx(ProxyNginx):
    """With `auth_request`. `name` is the column that it stands in."""

    def __init__(self, upstream: Upstream, name: str, asked: Server, path: str):
        super().__init__(upstream)
        self.name, self.asked = name, asked
        self.asks = f"http://asked{path}"

    def pool(self):
        return f"upstream asked {{ server 127.0.0.1:{self.asked.port}; keepalive 256; keepalive_requests 1000000000; }}"


class ProxyCaddy(Proxy, Caddy):
    def command(self):
        command = super().command()
        config = pathlib.Path(command[-1])
        # It keeps 32 idle connections to an application by default: too few for this load.
        proxy = f"reverse_proxy 127.0.0.1:{self.upstream.port} {{\n transport http {{\n keepalive_idle_conns_per_host 256\n }}\n }}"
        config.write_text(re.sub(r"header \{.*?\n    \}\n    respond [^\n]*", lambda _: proxy, config.read_text(), flags=re.DOTALL))
        return command


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


def prove(server: Secure, user: dict) -> None:
    """That what is measured is the application's answer, through the proxy."""
    for path, length in ((OPEN + "/small", len(ANSWER)), (GUARDED + "/small", len(ANSWER)), (GUARDED + "/mebibyte", 1 << 20)):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        connection.request("GET", path, headers={"Authorization": f"Bearer {user['access']}"})
        response = connection.getresponse()
        came = len(response.read())
        if response.status != 200 or came != length:
            raise RuntimeError(f"{server.name} answered {path} with {response.status} and {came} bytes")
        connection.close()


def row(name: str, unit: str = "requests/s", **factors: float) -> PeersRow:
    mark = ", ".join(f"≥ {factor:g} × {peer}" for peer, factor in factors.items())
    return PeersRow(name, unit, mark, factors=factors)


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

    def work(server: Secure, seconds: float, users: list[dict]) -> dict:
        done = subprocess.run(
            ["h2load", "-t2", "-c32", "-m10", f"-D{max(1, round(seconds))}", "--warm-up-time=1", "-H", f"authorization: Bearer {users[0]['access']}", "-w", "20", "-W", "24",
             "--connect-to", f"127.0.0.1:{server.secure_port}", f"https://localhost:{server.secure_port}{path}"], capture_output=True, text=True, check=True)
        rate = re.search(r"([\d.]+) req/s", done.stdout)
        counts = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored", done.stdout)
        refused = sum(int(number) for number in re.search(r"(\d+) 3xx, (\d+) 4xx, (\d+) 5xx", done.stdout).groups())
        if "Application protocol: h2" not in done.stdout:
            raise RuntimeError(f"{server.name} does not speak HTTP/2:\n{done.stdout}")
        return {"rate": float(rate[1]), "requests": int(counts[1]), "refused": refused, "broken": int(counts[2])}

    return work


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


def measured(plan: Plan, tell) -> list[PeersRow]:
    """Each kind of work: the servers in turn, round after round. nginx, the application, is the same for all."""
    upstream = Upstream()
    gatehouse = ProxyGatehouse(upstream)
    servers: list[Secure] = [gatehouse, ProxyNginx(upstream), ProxyCaddy(upstream), Traefik(upstream)]
    asking = [AskingNginx(upstream, "Gatehouse", gatehouse, "/api/v1/auth/verify"), AskingNginx(upstream, "nginx", upstream, "/small")]
    memory = row("memory after these, of all its processes", "MB")
    asked = row("nginx with `auth_request`, asking each")
    direct = row("forward-auth, asked directly")
    rows = kinds()
    try:
        upstream.start()
        for server in servers:
            server.start()
        gatehouse.add_users(USERS)
        for server in servers:
            prove(server, gatehouse.users[0])
        for each, work in rows:
            for server in in_turn(plan, servers):
                counted(each, server, work(server, plan.seconds, gatehouse.users))
            tell([each])
        for server in in_turn(plan, [gatehouse]):
            counted(direct, server, loaded("/api/v1/auth/verify")(server, plan.seconds, gatehouse.users))
        tell([direct])
        for server in servers:
            memory.add(server.name, resident_mb(server.process.pid))
        for server in asking:
            server.start()
        for server in in_turn(plan, asking):
            counted(asked, server, loaded(OPEN + "/small")(server, plan.seconds, gatehouse.users))
        tell([asked])
    finally:
        for server in [*asking, *servers, upstream]:
            server.close()
    return [each for each, _ in rows] + [direct, asked, memory]


def versions() -> dict[str, str]:
    return secure_versions() | {"Traefik": Traefik.version()}


__all__ = ["PEERS", "measured", "versions"]
