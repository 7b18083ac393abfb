"""Several instances that act as one: a database, perhaps Redis, and a door before them, which is nginx or the gateway of one of them."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import requests
from requests.adapters import HTTPAdapter

from gate import BINARY, OPEN_LIMITS, PASSWORD, QUICK_AUTH, Gatehouse, free_port, merged
from others import Nginx
from waiting import eventually

PUBLIC = "gate.test"
APPLICATION = "app.test"
# The application at a host that no instance spreads: for what comes by nginx.
PLAIN_APPLICATION = "plain.test"
# How long the door waits for an instance, in seconds: less than the grace time of a refresh token whose answer was lost (10 s).
PATIENCE = 3
DOORS = ("gateway", "nginx")
LISTENING = ["sh", "-c", 'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$0" "$@"']

NGINX = """
map $http_upgrade $connection_upgrade { default upgrade; "" ""; }
upstream gatehouse {
    least_conn;
    SERVERS
    keepalive 32;
}
server {
    listen 127.0.0.1:{port};
    location / {
        proxy_pass http://gatehouse;
        proxy_http_version 1.1;
        proxy_set_header Host              $http_host;
        proxy_set_header X-Forwarded-For   $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-Host  "";
        proxy_set_header Forwarded         "";
        proxy_set_header Upgrade           $http_upgrade;
        proxy_set_header Connection        $connection_upgrade;
        proxy_connect_timeout 1s;
        proxy_read_timeout    PATIENCEs;
    }
}
"""


class Instance(Gatehouse):
    """Started as systemd starts it: its listening socket stays while it is restarted."""

    def __init__(self, folder: pathlib.Path, port: int, settings: dict):
        super().__init__(folder, settings)
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        self.settings["listen"]["http"] = [f"127.0.0.1:{port}"]
        self.write_config()
        self._socket: socket.socket | None = None

    def spawn(self) -> subprocess.Popen:
        if self._socket is None:
            self._socket = socket.create_server(("127.0.0.1", self.port), backlog=512)

        def pass_on():
            os.dup2(self._socket.fileno(), 3, inheritable=True)

        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*LISTENING, str(BINARY), "serve", "--config", str(self.config)], cwd=self.folder, env=self.environment(),
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, close_fds=False, preexec_fn=pass_on)
        return self.process

    def lose_socket(self) -> None:
        """As when its machine is gone: from now on nobody listens while it does not run."""
        self._socket.close()
        self._socket = None

    def pause(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def change(self, settings: dict) -> None:
        """Puts further settings in force by a reload."""
        self.settings = merged(self.settings, settings)
        self.write_config()
        done = self.run("reload")
        assert done.returncode == 0, done.stderr

    def close(self) -> None:
        if self.process and self.process.poll() is None:
            self.go_on()
        self.kill()
        if self._socket is not None:
            self.lose_socket()


class Cluster:
    """`count` instances with the same configuration but for where they listen. `names` is what a client asks for: by the gateway of the first,
    by nginx, or of each by itself."""

    def __init__(self, folder: pathlib.Path, count: int, shared: dict, application: str | None = None):
        ports = []
        while len(ports) < count:
            port = free_port()
            ports += [port] if port not in ports else []
        spread = {
            "host": [PUBLIC, APPLICATION], "instances": [f"http://127.0.0.1:{port}" for port in ports], "response_timeout": f"{PATIENCE}s", "connect_timeout": "1s",
        }
        behind = [{"host": [APPLICATION, PLAIN_APPLICATION], "upstream": application}] if application else []
        settings = merged(
            {
                "public_url": f"http://{PUBLIC}", "listen": {"trusted_proxies": ["127.0.0.1/32"]}, "auth": QUICK_AUTH, "limits": OPEN_LIMITS, "site": [spread, *behind],
            },
            {"limits": {"policies": {"site": {"limit": 1_000_000, "window": "1s"}}}}, shared,
        )
        self.members = [Instance(folder / f"instance{number}", port, settings) for number, port in enumerate(ports)]
        servers = "".join(f"server 127.0.0.1:{port} max_fails=1 fail_timeout=1s;" for port in ports)
        self.nginx = Nginx(folder / "nginx", NGINX.replace("SERVERS", servers).replace("PATIENCE", str(PATIENCE)))

    def start(self) -> "Cluster":
        first, *others = self.members
        first.start()
        for other in others:
            introduce(first, other)
            other.spawn()
        for other in others:
            other.wait_ready()
        self.nginx.start()
        return self

    def visitor(self, door: str | int, address: str = "127.0.0.1", application: bool = False) -> "Visitor":
        """A client by one of the doors, or of one instance by its number."""
        if door == "gateway":
            return Visitor(self.members[0].port, APPLICATION if application else PUBLIC, address)
        host = PLAIN_APPLICATION if application else "direct.test"
        return Visitor(self.nginx.port if door == "nginx" else self.members[door].port, host, address)

    def each(self) -> list["Visitor"]:
        return [self.visitor(number) for number in range(len(self.members))]

    def close(self) -> None:
        self.nginx.close()
        for each in self.members:
            each.close()


class From(HTTPAdapter):
    """Connects from an address of this machine's choice: what a client's is."""

    def __init__(self, address: str):
        self._address = address
        super().__init__(pool_maxsize=4)

    def init_poolmanager(self, *arguments, **more):
        super().init_poolmanager(*arguments, source_address=(self._address, 0), **more)


class Visitor:
    """A client with connections of its own, which keeps no cookies by itself."""

    def __init__(self, port: int, host: str, address: str = "127.0.0.1"):
        self.url, self.host = f"http://127.0.0.1:{port}", host
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount("http://", From(address))
        self._session.cookies.set_policy(_NoCookies())

    def call(self, method: str, path: str, token: str | None = None, **more) -> requests.Response:
        headers = {"Host": self.host, **more.pop("headers", {})}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return self._session.request(method, self.url + path, headers=headers, timeout=more.pop("timeout", 10), allow_redirects=False, **more)

    def get(self, path: str, token: str | None = None, **more) -> requests.Response:
        return self.call("GET", path, token, **more)

    def post(self, path: str, body: dict | None = None, token: str | None = None, **more) -> requests.Response:
        return self.call("POST", path, token, json=body, **more)

    def register(self, email: str) -> dict:
        answer = self.post("/api/v1/auth/register", {"email": email, "password": PASSWORD})
        assert answer.status_code == 201, (answer.status_code, answer.text)
        return answer.json()

    def login(self, email: str, password: str = PASSWORD) -> requests.Response:
        return self.post("/api/v1/auth/login", {"email": email, "password": password})

    def refresh(self, token: str) -> requests.Response:
        return self.post("/api/v1/auth/refresh", {"refresh_token": token})

    def logout(self, token: str) -> requests.Response:
        return self.post("/api/v1/auth/logout", token=token)

    def me(self, token: str) -> requests.Response:
        return self.get("/api/v1/auth/me", token)


class _NoCookies(requests.cookies.cookielib.DefaultCookiePolicy):
    def set_ok(self, cookie, request):
        return False


def introduce(first: Gatehouse, other: Gatehouse) -> None:
    """What an operator copies once, from the first instance to a further one."""
    other.data.mkdir(mode=0o700, exist_ok=True)
    shutil.copy2(first.data / "cluster.key", other.data)


def within(seconds: float, what: str, is_so) -> float:
    """How long it took until it was so; fails where that is longer."""
    begun = time.monotonic()
    eventually(is_so, seconds, what, every=0.002)
    return time.monotonic() - begun
