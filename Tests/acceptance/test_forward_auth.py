"""nginx, Caddy and Traefik in front, each with the configuration of DEPLOYMENT.md, and Gatehouse asked about every request."""

import json
import re
import urllib.parse

import pytest

from gate import PASSWORD, QUICK, ROOT, Gatehouse, merged
from others import Caddy, Nginx, Traefik
from raw import Connection
from recording import Recorder
from test_site_identity import NAMES, SPELLINGS, identity
from test_site_requests import NAVIGATION, SECRETS, action_of, readings
from waiting import eventually

HOST = "app.example.com"


def documented(language: str) -> str:
    """The one block of this language in the section."""
    section = (ROOT / "DEPLOYMENT.md").read_text().split("## Beside nginx, Caddy or Traefik")[1].split("\n## ")[0]
    (block,) = re.findall(rf"```{language}\n(.*?)```", section, re.S)
    return block


def adapted(text: str, gate: int, application: int) -> str:
    return text.replace("127.0.0.1:8080", f"127.0.0.1:{gate}").replace("127.0.0.1:3000", f"127.0.0.1:{application}")


def nginx(folder, gate: int, application: int) -> Nginx:
    text = adapted(documented("nginx"), gate, application).replace("listen 443 ssl http2;", "listen 127.0.0.1:{port};")
    return Nginx(folder, re.sub(r" *ssl_certificate.*\n", "", text))


def caddy(folder, gate: int, application: int) -> Caddy:
    return Caddy(folder, adapted(documented("caddyfile"), gate, application).replace(HOST, f"http://{HOST}:{{port}}", 1))


def traefik(folder, gate: int, application: int) -> Traefik:
    text = adapted(documented("yaml"), gate, application).replace("websecure", "web")
    return Traefik(folder, re.sub(r" *tls: {}\n", "", text))


class Front:
    """One of them, Gatehouse beside it, and the application behind it."""

    def __init__(self, kind, folder):
        self.application = Recorder()
        self.gate = Gatehouse(folder / "gate", QUICK)
        self.proxy = kind(folder / "front", self.gate.port, self.application.port)
        self.port = self.proxy.port
        self.authority = f"{HOST}:{self.port}"
        self.gate.settings = merged(self.gate.settings, {
            "public_url": f"http://{self.authority}", "listen": {"trusted_proxies": ["127.0.0.1"]},
            "site": [{"host": HOST, "path": "/public", "access": "public", "respond": ""}, {"host": HOST, "path": "/owners", "access": "role:owner", "respond": ""},
                     {"host": HOST, "path": "/optional", "access": "optional", "respond": ""}]})
        self.gate.write_config()

    def start(self) -> "Front":
        self.gate.start()
        self.proxy.start()
        # Traefik listens before it knows its routes.
        eventually(lambda: self.ask("GET", "/").status == 401)
        self.application.forget()
        return self

    def close(self) -> None:
        self.proxy.close()
        self.gate.kill()
        self.application.close()

    def ask(self, method: str, path: str, *fields: tuple[str, str], body: bytes | None = None):
        fields += (("Content-Length", str(len(body))),) if body is not None else ()
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.authority}", "Connection: close", *(f"{name}: {value}" for name, value in fields), "", ""]
        with Connection(self.port) as connection:
            connection.send("\r\n".join(lines).encode("latin-1") + (body or b""))
            return connection.answer(until_close=True)


@pytest.fixture(scope="module", params=[nginx, caddy, traefik], ids=lambda kind: kind.__name__)
def _front(request, tmp_path_factory):
    made = Front(request.param, tmp_path_factory.mktemp(request.param.__name__))
    try:
        yield made.start()
    finally:
        made.close()


@pytest.fixture
def front(_front, request):
    request.node.servers = [_front.gate]
    _front.application.forget()
    return _front


def test_who_is_signed_in_is_told(front):
    user = front.gate.register(org_name="Somewhere", name="Zoë")
    answer = front.ask("POST", "/x?a=b", ("Authorization", f"Bearer {user['access_token']}"), body=b"hello")
    assert (answer.status, answer.body) == (200, b"ok")
    (request,) = front.application.requests
    assert request.target == "/x?a=b" and request.body == b"hello"
    told = identity(request)
    assert told["user"] == user["user"]["id"] and told["email"] == user["user"]["email"] and told["roles"] == "owner" and told["name"] == "Zo%C3%AB"
    assert told["session"] == user["session_id"] and told["assertion"].count(".") == 2
    assert front.ask("GET", "/owners/x", ("Authorization", f"Bearer {user['access_token']}")).status == 200


def test_who_is_not_is_refused(front):
    """A program with 401, a browser to the sign-in page and back, somebody else with 403; the application hears of none."""
    assert front.ask("GET", "/x").status == 401
    assert front.ask("GET", "/x", ("Authorization", "Bearer nonsense")).status == 401
    nobody = front.gate.register()
    assert front.ask("GET", "/owners/x", ("Authorization", f"Bearer {nobody['access_token']}")).status == 403
    assert not front.application.requests
    sent = front.ask("GET", "/page?a=1&b=2", *NAVIGATION)
    location = urllib.parse.urlsplit(sent.one("location"))
    assert sent.status == 302 and location.path == "/.gatehouse/sign-in" and location.netloc in ("", front.authority) and location.scheme in ("", "http")
    assert urllib.parse.parse_qs(location.query)["redirect"] == ["/page?a=1&b=2"]
    page = front.ask("GET", f"{location.path}?{location.query}", *NAVIGATION)
    assert page.status == 200
    form = urllib.parse.urlencode({"email": nobody["user"]["email"], "password": PASSWORD}).encode()
    entered = front.ask("POST", action_of(page.body), ("Content-Type", "application/x-www-form-urlencoded"), ("Origin", f"http://{front.authority}"), body=form)
    assert entered.status in (302, 303) and entered.one("location").endswith("/page?a=1&b=2")
    cookie = entered.one("set-cookie").split(";")[0]
    assert front.ask("GET", "/page?a=1&b=2", ("Cookie", cookie), *NAVIGATION).status == 200
    assert identity(front.application.requests[-1])["user"] == nobody["user"]["id"]
    # With the cookie, a page of another site changes nothing.
    assert front.ask("POST", "/x", ("Cookie", cookie), ("Origin", "https://evil.test"), body=b"x").status == 403


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_identity_from_outside_does_not_pass(front, spelling):
    """CHECKLIST 29 with another proxy in front: in no spelling, on public paths neither; refused where that proxy would pass it on."""
    token = front.gate.register()
    forged = [(spelling.format(name), "forged") for name in NAMES]
    for path in ("/public/x", "/optional/x", "/x"):
        for credentials in ((), (("Authorization", f"Bearer {token['access_token']}"),)):
            front.application.forget()
            status = front.ask("GET", path, *forged, *credentials).status
            assert status in (200, 400, 401, 403), status
            for request in front.application.requests:
                told = {name: request.spelt(f"x-gatehouse-{name}") for name in NAMES}
                values = [value for names in told.values() for each in names for value in request.all(each)]
                # Caddy 2.6 sends the words of its configuration where it finds nothing to copy.
                assert "forged" not in values and not any("{" in value for value in values), (path, values)


@pytest.mark.parametrize("fields", [
    [("X-Forwarded-Uri", "/public/x")], [("X-Original-URL", "/public/x")], [("X-Original-URL", f"http://{HOST}/public/x")], [("X-Forwarded-Host", "evil.test")],
    [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/public/x"), ("X-Forwarded-Host", "evil.test")], [("X-Original-URI", "/public/x")], [("X_Forwarded_Uri", "/public/x")],
    [("Forwarded", "host=evil.test;proto=https;for=203.0.113.7")], [("X-Rewrite-URL", "/public/x")], [("Connection", "X-Forwarded-Uri, X-Original-URL, X-Forwarded-For")]])
def test_no_field_of_a_client_leads_past_the_rule(front, fields):
    """CHECKLIST 31, 32: who asks for one path is not judged by another."""
    assert front.ask("GET", "/x", *fields).status in (400, 401, 403)
    assert not front.application.requests


@pytest.mark.parametrize("target", [target for target in SECRETS if target.startswith("/")])
def test_no_spelling_of_a_path_leads_past_the_rule(front, target):
    """CHECKLIST 32: what another proxy makes of a path, and what Gatehouse is asked about, let nobody in who is not signed in."""
    front.ask("GET", target.replace("secret", "x"))
    front.ask("GET", "/public" + target.replace("secret", "x"))
    for request in front.application.requests:
        assert all(each.startswith("/public") for each in readings(request.target)), request.target


def test_signing_out_ends_it_at_the_next_request(front):
    """CHECKLIST 4 at forward-auth."""
    user = front.gate.register()
    bearer = ("Authorization", f"Bearer {user['access_token']}")
    assert [front.ask("GET", "/x", bearer).status for _ in range(3)] == [200] * 3
    assert front.gate.logout(user["access_token"]).status_code == 204
    assert front.ask("GET", "/x", bearer).status == 401


def test_limits_reach_the_client(front):
    """Unless they are used up, nobody notices; then it is refused, whatever status the proxy in front can tell."""
    user = front.gate.register()
    statuses = {front.ask("GET", "/x", ("Authorization", f"Bearer {user['access_token']}")).status for _ in range(30)}
    assert statuses == {200}
    told = json.loads(front.gate.call("GET", "/api/v1/auth/me", token=user["access_token"]).text)
    assert told["id"] == user["user"]["id"]
