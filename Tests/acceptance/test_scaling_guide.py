"""DEPLOYMENT.md from one server with SQLite to three instances: its configurations as they stand there, at addresses of the test's own."""

from __future__ import annotations

import re
import shlex

import pytest
import requests
import urllib3

import guide
from certificates import Root
from gate import PASSWORD, QUICK, Gatehouse, free_port, merged
from instances import introduce, within
from others import Nginx
from redis_server import RedisServer

HOST = "app.example.com"
HEADING = "From one server to three instances"
NUMBERS = (11, 12, 13)
# What the tests do without: hashes that take their time.
QUICK_LINES = "\n[auth]\nbcrypt_cost = 10\n"


def _block(language: str, tag: str) -> str:
    (block,) = [block for block in guide.blocks(language) if tag in block.tags]
    return block.text


class Site:
    """The page's machines, each an address of the loopback network: 10.0.0.12 is 127.0.0.12."""

    def __init__(self, folder, postgres, application):
        self.folder, self.postgres, self.application = folder, postgres, application
        self.redis = RedisServer(folder / "redis").start()
        self.name = postgres.new_database()
        self.ports = {port: free_port() for port in (80, 443, 8080)}
        self.password = folder / "pgpass"
        self.password.write_text(f"127.0.0.1:{postgres.port}:{self.name}:gatehouse:keep-this-unseen\n")
        self.password.chmod(0o600)
        self.instances: list[Gatehouse] = []
        self.doors: list[Nginx] = []

    def adapted(self, text: str) -> str:
        text = text.replace("gatehouse@10.0.0.5/gatehouse?", f"gatehouse@127.0.0.1:{self.postgres.port}/{self.name}?")
        text = text.replace("/etc/gatehouse/pgpass", str(self.password)).replace("redis://10.0.0.5:6379", self.redis.url)
        text = re.sub(r'"http://10\.0\.0\.21:3000", "http://10\.0\.0\.22:3000"', f'"{self.application.url}"', text)
        # Whoever connects to a loopback address does so from the first of them.
        text = re.sub("trusted_proxies = .*?]", 'trusted_proxies = ["127.0.0.1"]', text)
        for port, own in self.ports.items():
            text = re.sub(rf"(10\.0\.0\.\d+):{port}\b", rf"\1:{own}", text)
        # Certificates of an authority are what test_acme_instances.py is about.
        text = re.sub(r"\[acme\]\nemail = .*", '[tls]\nmode = "self-signed"', text)
        return text.replace("10.0.0.", "127.0.0.")

    def instance(self, number: int, text: str, port: int) -> Gatehouse:
        made = Gatehouse(self.folder / f"{port}-{number}")
        made.url = f"http://127.0.0.{number}:{self.ports[port]}"
        text = self.adapted(text)
        listen = re.compile(r"^(https? = \[\"127\.0\.0\.)11:", re.M)
        made.config.write_text(f'data_dir = "{made.data}"\n' + listen.sub(rf"\g<1>{number}:", text) + QUICK_LINES)
        self.instances.append(made)
        return made

    def start(self, text: str, port: int, first: Gatehouse) -> list[Gatehouse]:
        """One that has the secrets, and two that are given them."""
        made = [self.instance(number, text, port) for number in NUMBERS]
        for each in made:
            introduce(first, each)
            each.start()
        return made

    def close(self) -> None:
        for each in self.doors:
            each.close()
        for each in self.instances:
            each.kill()
        self.redis.kill()


@pytest.fixture
def site(postgres, application, tmp_path, request):
    application.forget()
    made = Site(tmp_path, postgres, application)
    request.node.servers = made.instances
    yield made
    made.close()


class Browser:
    def __init__(self, url: str):
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self.url, self.session = url, requests.Session()
        self.session.trust_env, self.session.verify = False, False
        self.session.headers.update({"Host": HOST, "Origin": f"https://{HOST}"})

    def ask(self, method: str, path: str, token: str, **more) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.session.request(method, self.url + path, headers=headers, timeout=10, allow_redirects=False, **more)


def spread(site: Site, browser: Browser, session: dict) -> None:
    """What the page promises: whoever was signed in still is, at the application too, each instance has its share, and a log-out holds for all."""
    answer = browser.ask("POST", "/api/v1/auth/refresh", "", json={"refresh_token": session["refresh_token"]})
    assert answer.status_code == 200 and "__Host-gatehouse=" in answer.headers["Set-Cookie"], (answer.status_code, answer.text)
    token = answer.json()["access_token"]
    for _ in range(12):
        assert browser.ask("GET", "/api/v1/auth/me", token).json()["id"] == session["user"]["id"]
        assert browser.ask("GET", "/x", token).status_code == 200
    told = site.application.requests
    assert len(told) == 12 and {each.one("x-gatehouse-user") for each in told} == {session["user"]["id"]}
    assert {each.one("x-forwarded-proto") for each in told} == {"https"} and {each.one("host") for each in told} == {HOST}
    for each in site.instances[-3:]:
        within(2, "each has its share", lambda: any(entry.get("path") == "/x" for entry in each.log_entries()))
    again = browser.ask("POST", "/api/v1/auth/login", "", json={"email": session["user"]["email"], "password": PASSWORD})
    assert again.status_code == 200
    assert browser.ask("POST", "/api/v1/auth/logout", token).status_code == 204
    within(1, "out everywhere", lambda: {browser.ask("GET", path, token).status_code for path in ("/x", "/api/v1/auth/me") * 3} == {401})


def test_from_one_server_to_three(site, tmp_path):
    """The move, the configuration of all, the second and the third, and nginx; then one of them as the door instead."""
    one = Gatehouse(tmp_path / "one", merged(QUICK, {"public_url": f"https://{HOST}"})).start()
    site.instances.append(one)
    session, other = one.register(), one.register()
    assert one.stop() == 0
    (move,) = [command for block in guide.blocks("sh") if block.heading == HEADING for command in block.commands if " move " in command]
    done = one.run(*shlex.split(site.adapted(move))[1:])
    assert done.returncode == 0 and "compared row by row" in done.stdout, done.stderr
    # Its next start is on Postgres.
    first = site.instance(99, _block("toml", "three-instances"), 8080)
    first.config.write_text(first.config.read_text().replace(str(first.data), str(one.data)).replace("127.0.0.11", "127.0.0.99"))
    first.data = one.data
    first.start()
    assert first.stop() == 0

    behind = site.start(_block("toml", "three-instances"), 8080, first)
    certificate, key = Root(tmp_path, "A").write("server", [HOST])
    text = _block("nginx", "three-instances").replace("/etc/ssl/app.example.com.pem", str(certificate)).replace("/etc/ssl/app.example.com.key", str(key))
    nginx = Nginx(tmp_path / "nginx", site.adapted(text).replace("listen 443 ssl http2;", "listen 127.0.0.1:{port} ssl http2;"))
    site.doors.append(nginx)
    nginx.start()
    spread(site, Browser(f"https://127.0.0.1:{nginx.port}"), session)
    for each in behind:
        assert each.stop() == 0

    site.application.forget()
    site.start(_block("toml", "behind-one"), 80, first)
    spread(site, Browser(f"https://127.0.0.12:{site.ports[443]}"), other)
