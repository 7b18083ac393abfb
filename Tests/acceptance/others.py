"""Programs that others wrote, as processes of their own: applications behind the gateway, and proxies before it or beside it."""

from __future__ import annotations

import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

from gate import free_port

HERE = pathlib.Path(__file__).resolve().parent


class Other:
    """A program with a folder and a port."""

    name: str

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen | None = None
        folder.mkdir(parents=True, exist_ok=True)
        # nginx's workers run as another user, and read below it.
        for each in (folder, *list(folder.parents)[:4]):
            if each.stat().st_uid == os.getuid() and not each.stat().st_mode & 0o001:
                each.chmod(each.stat().st_mode | 0o011)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list:
        raise NotImplementedError

    def environment(self) -> dict:
        # Caddy keeps its own things below the home folder otherwise.
        return {**os.environ, **{name: str(self.folder) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}}

    def start(self, within: float = 15) -> "Other":
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                self.command(), cwd=self.folder, env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + within
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=2).close()
                return self
            except OSError:
                assert self.process.poll() is None and time.monotonic() < deadline, f"{self.name}:\n{self.log_text()}"
                time.sleep(0.02)

    def log_text(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    def close(self, how: int = signal.SIGTERM) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Asgi(Other):
    """`application.py` in uvicorn."""

    name = "uvicorn"

    def command(self):
        return [sys.executable, "-m", "uvicorn", "--app-dir", HERE, "--host", "127.0.0.1", "--port", str(self.port), "--ws", "websockets",
                "--log-level", "warning", "--timeout-keep-alive", "60", "application:app"]


class Nginx(Other):
    """`server` is what stands in its http block, with `{port}` and `{folder}` for its own."""

    name = "nginx"

    def __init__(self, folder: pathlib.Path, http: str):
        super().__init__(folder)
        self.http = http

    def command(self):
        places = " ".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.folder / "nginx.conf").write_text(f"""
daemon off;
worker_processes 2;
pid {self.folder}/pid;
error_log stderr warn;
events {{ worker_connections 12000; }}
http {{
    access_log off;
    {places}
    {self.http.replace("{port}", str(self.port)).replace("{folder}", str(self.folder))}
}}
""")
        return ["nginx", "-e", "stderr", "-c", self.folder / "nginx.conf"]


class Caddy(Other):
    """`sites` is its Caddyfile after the global options, with `{port}`."""

    name = "Caddy"

    def __init__(self, folder: pathlib.Path, sites: str):
        super().__init__(folder)
        self.sites = sites

    def command(self):
        text = "{\n    admin off\n    auto_https off\n}\n" + self.sites.replace("{port}", str(self.port))
        (self.folder / "Caddyfile").write_text(text)
        return ["caddy", "run", "--adapter", "caddyfile", "--config", self.folder / "Caddyfile"]


class Traefik(Other):
    """`dynamic` is its file of routers, services and middlewares, whose routers use the entry point `web`."""

    name = "Traefik"

    def __init__(self, folder: pathlib.Path, dynamic: str):
        super().__init__(folder)
        self.dynamic = dynamic

    def command(self):
        (self.folder / "dynamic.yaml").write_text(self.dynamic)
        return [pathlib.Path(sys.executable).parent / "traefik", f"--entrypoints.web.address=127.0.0.1:{self.port}",
                f"--providers.file.filename={self.folder}/dynamic.yaml", "--providers.file.watch=false", "--global.checknewversion=false",
                "--global.sendanonymoususage=false", "--log.level=WARN"]


FILES = """
server {
    listen 127.0.0.1:{port};
    root {folder}/files;
    default_type application/octet-stream;
    location = /small { return 200 "hello from nginx\\n"; }
    location = /status/404 { return 404 "not here\\n"; }
    # Has the whole body before it goes on.
    location = /wait { proxy_pass http://127.0.0.1:{port}/small; }
    location = /redirect { return 302 /small; }
    location = /header { return 200 "$http_x_gatehouse_user|$http_host|$http_x_forwarded_for|$http_x_forwarded_proto\\n"; }
}
"""


def nginx_with_files(folder: pathlib.Path) -> Nginx:
    """An application of files, one of them a mebibyte."""
    made = Nginx(folder, FILES)
    (folder / "files").mkdir(parents=True)
    (folder / "files/page.html").write_text("<h1>A page</h1>\n" * 50)
    (folder / "files/mebibyte").write_bytes(bytes(range(256)) * 4096)
    return made


class Sink(Other):
    """`sink.py`."""

    name = "sink"

    def command(self):
        return [sys.executable, HERE / "sink.py", str(self.port)]
